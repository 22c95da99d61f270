import { Go, go, useDates } from "@altinn-local/shared";
import { Button, Card, Dialog, Heading, Link, Paragraph, Search, Select, Field, Label, Tag, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon } from "@navikt/aksel-icons";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useRef, useState, type FormEvent } from "react";

import * as api from "../api";
import { Frame } from "../parts/Frame";
import { Loading, ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

export function Dashboard({ user }: { user: api.User }) {
  const t = useTexts();
  const [words, setWords] = useState("");
  const query = useDeferredValue(words.trim());
  const apps = useQuery({
    queryKey: ["apps", query],
    queryFn: ({ signal }) => api.apps(query, signal),
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    document.title = `${t("apps.title")} – ${t("app.name")}`;
  }, [t]);
  return (
    <Frame user={user}>
      <main id="content" className="page narrow" tabIndex={-1}>
        <div className="page-head">
          <Heading level={1}>{t("apps.title")}</Heading>
          <NewApp />
        </div>
        <Search className="search">
          <Search.Input aria-label={t("apps.search")} placeholder={t("apps.search")} value={words} onChange={(event) => setWords(event.target.value)} />
          <Search.Clear aria-label={t("common.cancel")} onClick={() => setWords("")} />
        </Search>
        {apps.isPending && <Loading />}
        {apps.error && <ProblemAlert problem={apps.error} retry={() => void apps.refetch()} />}
        {apps.data?.length === 0 && <Paragraph>{t(query ? "apps.noneFound" : "apps.none")}</Paragraph>}
        <ul className="cards">
          {apps.data?.map((app) => (
            <AppCard key={`${app.org}/${app.app}`} app={app} />
          ))}
        </ul>
      </main>
    </Frame>
  );
}

function AppCard({ app }: { app: api.App }) {
  const t = useTexts();
  const when = useDates();
  return (
    <Card asChild>
      <li className="app-card">
        <div>
          <Heading level={2} data-size="2xs">
            <Link asChild>
              <Go to={`/editor/${app.org}/${app.app}/overview`}>
                {app.org}/{app.app}
              </Go>
            </Link>
          </Heading>
          <Paragraph data-size="sm" className="quiet">
            {app.description || t("apps.updated", { when: when(app.updated) })}
          </Paragraph>
        </div>
        <div className="app-card-end">
          {!app.mayChange && <Tag data-color="neutral">{t("apps.readOnly")}</Tag>}
          <Link href={app.url} data-color="neutral" aria-label={`${t("apps.repository")}: ${app.org}/${app.app}`}>
            {t("apps.repository")}
          </Link>
        </div>
      </li>
    </Card>
  );
}

const isName = (name: string) => /^[a-z][a-z0-9-]{0,28}[a-z0-9]$|^[a-z]$/.test(name);

function NewApp() {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const owners = useQuery({ queryKey: ["owners"], queryFn: api.owners });
  const [org, setOrg] = useState("");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const owner = org || owners.data?.[0]?.name || "";
  const create = useMutation({
    mutationFn: () => api.createApp({ org: owner, app: name }),
    onSuccess: async (app) => {
      await client.invalidateQueries({ queryKey: ["apps"] });
      go(`/editor/${app.org}/${app.app}/overview`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isName(name) && owner && !create.isPending) create.mutate();
  };
  return (
    <>
      <Button onClick={() => dialog.current?.showModal()}>
        <PlusIcon aria-hidden fontSize="1.4rem" />
        {t("apps.new")}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-app">
        <form onSubmit={submit} className="form" noValidate>
          <Heading level={2} data-size="xs" id="new-app">
            {t("apps.create.title")}
          </Heading>
          <Field>
            <Label>{t("apps.create.owner")}</Label>
            <Select value={owner} onChange={(event) => setOrg(event.target.value)}>
              {owners.data?.map((owner) => (
                <Select.Option key={owner.name} value={owner.name}>
                  {owner.fullName ? `${owner.fullName} (${owner.name})` : owner.name}
                </Select.Option>
              ))}
            </Select>
          </Field>
          <Textfield
            label={t("apps.create.name")}
            description={t("apps.create.hint")}
            value={name}
            autoComplete="off"
            spellCheck={false}
            maxLength={30}
            error={tried && !isName(name) && t("apps.create.bad")}
            onChange={(event) => setName(event.target.value)}
          />
          <ProblemAlert problem={create.error} />
          <div className="actions">
            <Button type="submit" loading={create.isPending}>
              {t("apps.create.do")}
            </Button>
            <Button type="button" variant="tertiary" onClick={() => dialog.current?.close()}>
              {t("common.cancel")}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
