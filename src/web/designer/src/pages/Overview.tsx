import { Go, useDates } from "@altinn-local/shared";
import { Button, Card, Heading, Link, Paragraph, Tag } from "@digdir/designsystemet-react";
import { ExternalLinkIcon } from "@navikt/aksel-icons";
import { useQuery } from "@tanstack/react-query";

import * as api from "../api";
import { fields } from "../logic/model";
import * as layoutSets from "../logic/sets";
import { fileOf, idsOf, languagesOf } from "../logic/texts";
import { useAddress, useApp, useDocument, useDocuments, useFiles, useStatus } from "../parts/app";
import { ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

export function Overview() {
  const t = useTexts();
  const { id } = useApp();
  const app = useQuery({ queryKey: ["app", id], queryFn: () => api.app(id) });
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("overview.title")}</Heading>
        <Link href={app.data?.url ?? "#"} className="end">
          {t("apps.repository")}
        </Link>
      </div>
      <div className="grid">
        <RunningCard />
        <ChangesCard />
        <ContentCard />
        <CommitsCard />
      </div>
    </>
  );
}

function RunningCard() {
  const t = useTexts();
  const { id } = useApp();
  const address = useAddress();
  const all = useQuery({ queryKey: ["deployments", id], queryFn: () => api.deployments(id), refetchInterval: 15_000 });
  const running = all.data?.kubernetesDeploymentList ?? [];
  return (
    <Card>
      <Heading level={2} data-size="2xs">
        {t("overview.running")}
      </Heading>
      <ProblemAlert problem={all.error} />
      {all.data && running.length === 0 && <Paragraph>{t("overview.notRunning")}</Paragraph>}
      <ul className="plain">
        {running.map((one) => (
          <li key={one.envName} className="row">
            <span>
              <strong>{one.envName}</strong> <Tag data-color="success">{one.version}</Tag>
            </span>
            <Link href={one.url}>
              {t("overview.open")}
              <ExternalLinkIcon aria-hidden />
            </Link>
          </li>
        ))}
      </ul>
      <Button asChild variant="secondary">
        <Go to={address("deploy")}>{t("nav.deploy")}</Go>
      </Button>
    </Card>
  );
}

function ChangesCard() {
  const t = useTexts();
  const address = useAddress();
  const status = useStatus(true);
  const { changes = [], aheadBy = 0, behindBy = 0 } = status.data ?? {};
  const quiet = status.data && changes.length + aheadBy + behindBy === 0;
  return (
    <Card>
      <Heading level={2} data-size="2xs">
        {t("overview.changes")}
      </Heading>
      <ProblemAlert problem={status.error} />
      {quiet && <Paragraph>{t("overview.noChanges")}</Paragraph>}
      {changes.length > 0 && <Paragraph>{t("overview.changed", { n: changes.length })}</Paragraph>}
      {aheadBy > 0 && <Paragraph>{t("overview.ahead", { n: aheadBy })}</Paragraph>}
      {behindBy > 0 && <Paragraph>{t("overview.behind", { n: behindBy })}</Paragraph>}
      <Button asChild variant="secondary">
        <Go to={address("changes")}>{t("nav.changes")}</Go>
      </Button>
    </Card>
  );
}

function ContentCard() {
  const t = useTexts();
  const address = useAddress();
  const paths = useFiles().data ?? [];
  const setsFile = useDocument(layoutSets.SETS);
  const languages = languagesOf(paths);
  const texts = useDocuments(languages.map(fileOf));
  const model = useDocuments(paths.filter((path) => /^App\/models\/[^/]+\.schema\.json$/.test(path)));
  const folders = layoutSets.sets(setsFile.text, paths).map((set) => `${set.folder}/layouts/`);
  const pages = paths.filter((path) => folders.some((folder) => path.startsWith(folder)) && path.endsWith(".json"));
  const fieldCount = model.reduce((sum, one) => sum + (fields(one.text)?.length ?? 0), 0);
  const n = idsOf(texts.map((one) => one.text)).length;
  const rows = [
    { page: "ui", text: t("overview.pages", { n: pages.length }) },
    { page: "texts", text: t("overview.textCount", { n, languages: languages.join(", ") }) },
    { page: "model", text: t("overview.fields", { n: fieldCount }) },
  ];
  return (
    <Card>
      <Heading level={2} data-size="2xs">
        {t("overview.content")}
      </Heading>
      <ul className="plain">
        {rows.map(({ page, text }) => (
          <li key={page}>
            <Link asChild>
              <Go to={address(page)}>{text}</Go>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function CommitsCard() {
  const t = useTexts();
  const when = useDates();
  const { id } = useApp();
  const commits = useQuery({ queryKey: ["commits", id], queryFn: () => api.commits(id) });
  return (
    <Card>
      <Heading level={2} data-size="2xs">
        {t("overview.commits")}
      </Heading>
      <ul className="plain">
        {commits.data?.slice(0, 4).map((commit) => (
          <li key={commit.sha}>
            <div>{commit.message.split("\n")[0]}</div>
            <div className="quiet small">
              {commit.author}, {when(commit.date)}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
