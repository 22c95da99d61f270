import { Go, useDates } from "@altinn-local/shared";
import { Alert, Button, Card, Field, Heading, Label, Link, Paragraph, Select, Textfield } from "@digdir/designsystemet-react";
import { ExternalLinkIcon, RocketIcon } from "@navikt/aksel-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import * as api from "../api";
import { byEnvironment, hasFailed, lastEvent } from "../logic/deployments";
import { isVersion, nextVersion } from "../logic/version";
import { useAddress, useApp, useStatus } from "../parts/app";
import { BuildLog, StateTag } from "../parts/BuildLog";
import { Loading, ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

const isOpen = (build: api.Build) => build.status !== "completed";
/** While something is under way it is asked for often. */
const pace = (open: boolean) => (open ? 1_500 : 15_000);

const useTargets = () => {
  const { id } = useApp();
  return useQuery({ queryKey: ["targets", id], queryFn: () => api.targets(id) });
};

function useReleases() {
  const { id } = useApp();
  return useQuery({
    queryKey: ["releases", id],
    queryFn: () => api.releases(id),
    refetchInterval: ({ state }) => pace(state.data?.some((one) => isOpen(one.build)) ?? false),
  });
}

function useDeployments() {
  const { id } = useApp();
  return useQuery({
    queryKey: ["deployments", id],
    queryFn: () => api.deployments(id),
    refetchInterval: ({ state }) => pace(state.data?.pipelineDeploymentList.some((one) => isOpen(one.build)) ?? false),
  });
}

export default function Deploy() {
  const t = useTexts();
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("deploy.title")}</Heading>
      </div>
      <Environments />
      <div className="grid wide">
        <Releases />
        <NewRelease />
      </div>
      <History />
    </>
  );
}

function Environments() {
  const t = useTexts();
  const { id } = useApp();
  const targets = useTargets();
  const permissions = useQuery({ queryKey: ["permissions", id], queryFn: () => api.permissions(id) });
  const deployments = useDeployments();
  const allowed = (permissions.data ?? []).map((name) => name.toLowerCase());
  return (
    <section aria-labelledby="environments">
      <Heading level={2} data-size="xs" id="environments">
        {t("deploy.environments")}
      </Heading>
      <ProblemAlert problem={targets.error ?? permissions.error ?? deployments.error} />
      {targets.isPending && <Loading />}
      {targets.data?.length === 0 && <Paragraph>{t("deploy.noEnvironments")}</Paragraph>}
      <div className="grid">
        {targets.data?.map((target) => (
          <Environment
            key={target.name}
            target={target}
            allowed={allowed.includes(target.name.toLowerCase())}
            running={deployments.data?.kubernetesDeploymentList.find((one) => one.envName === target.name)}
            last={deployments.data?.pipelineDeploymentList.find((one) => one.envName === target.name)}
          />
        ))}
      </div>
    </section>
  );
}

interface EnvironmentProps {
  target: api.Target;
  allowed: boolean;
  running: api.Running | undefined;
  last: api.Deployment | undefined;
}

function Environment({ target, allowed, running, last }: EnvironmentProps) {
  const t = useTexts();
  const { id } = useApp();
  const client = useQueryClient();
  const releases = useReleases();
  const env = target.name;
  const ready = (releases.data ?? []).filter((one) => one.build.result === "succeeded");
  const [chosen, setChosen] = useState("");
  const version = ready.find((one) => one.tagName === chosen)?.tagName ?? ready[0]?.tagName ?? "";
  const refresh = () => client.invalidateQueries({ queryKey: ["deployments", id] });
  const deploy = useMutation({ mutationFn: () => api.deploy(id, env, version), onSuccess: refresh });
  const undeploy = useMutation({ mutationFn: () => api.undeploy(id, env), onSuccess: refresh });
  const busy = last !== undefined && isOpen(last.build);
  // The cluster has a version as soon as it is told of it; that it answers is what the deployment waits for.
  const beginning = busy && running !== undefined && last.tagName === running.version;
  return (
    <Card className="environment">
      <div className="row">
        <Heading level={3} data-size="2xs">
          {env}
        </Heading>
        {last && <StateTag build={last.build} event={lastEvent(last)} />}
      </div>
      {last && hasFailed(lastEvent(last)) && (
        <Alert data-color="danger" data-size="sm">
          {lastEvent(last)?.message || t("state.clusterFailed")}
        </Alert>
      )}
      <Paragraph>
        {running ? t(beginning ? "deploy.beginning" : "deploy.running", { version: running.version }) : <span className="quiet">{t("deploy.notRunning")}</span>}
      </Paragraph>
      {running && (
        <Link href={target.appUrl} aria-label={t("deploy.open", { env })}>
          {t("overview.open")}
          <ExternalLinkIcon aria-hidden />
        </Link>
      )}
      {allowed ? (
        <>
          <Field>
            <Label>{t("deploy.version", { env })}</Label>
            <Select value={version} disabled={ready.length === 0 || busy} onChange={(event) => setChosen(event.target.value)}>
              {ready.length === 0 && <Select.Option value="">{t("deploy.noReleases")}</Select.Option>}
              {ready.map((one) => (
                <Select.Option key={one.id} value={one.tagName}>
                  {one.tagName}
                </Select.Option>
              ))}
            </Select>
          </Field>
          <div className="actions">
            <Button disabled={version === "" || busy} loading={deploy.isPending} onClick={() => deploy.mutate()} aria-label={`${t("deploy.do")}: ${t("deploy.what", { version, env })}`}>
              <RocketIcon aria-hidden fontSize="1.4rem" />
              {t("deploy.do")}
            </Button>
            {running && (
              <Button
                variant="tertiary"
                data-color="danger"
                disabled={busy}
                loading={undeploy.isPending}
                onClick={() => {
                  if (confirm(t("deploy.undeploySure", { env }))) undeploy.mutate();
                }}
              >
                {t("deploy.undeploy")}
              </Button>
            )}
          </div>
        </>
      ) : (
        <Paragraph className="quiet" data-size="sm">
          {t("deploy.notAllowed", { env: env.toUpperCase() })}
        </Paragraph>
      )}
      <ProblemAlert problem={deploy.error ?? undeploy.error} />
      {busy && <BuildLog build={last.build} name={t("deploy.what", { version: last.tagName ?? "", env })} />}
    </Card>
  );
}

function NewRelease() {
  const t = useTexts();
  const { id, mayChange } = useApp();
  const address = useAddress();
  const client = useQueryClient();
  const releases = useReleases();
  const status = useStatus(true);
  const commits = useQuery({ queryKey: ["commits", id], queryFn: () => api.commits(id) });
  const pushed = (commits.data ?? []).filter((commit) => commit.pushed);
  const taken = (releases.data ?? []).filter((one) => isOpen(one.build) || one.build.result === "succeeded").map((one) => one.tagName);
  const [version, setVersion] = useState<string>();
  const [notes, setNotes] = useState("");
  const [sha, setSha] = useState("");
  const [tried, setTried] = useState(false);
  // Which versions are taken is not known before the list is here.
  const tag = version ?? (releases.data ? nextVersion(taken) : "");
  const commit = pushed.find((one) => one.sha === sha) ?? pushed[0];
  const wrong = !isVersion(tag) ? t("deploy.new.bad") : taken.includes(tag) ? t("problem.release-exists") : undefined;
  const create = useMutation({
    mutationFn: (commit: string) => api.createRelease(id, tag, commit, notes),
    onSuccess: async () => {
      setVersion(undefined);
      setNotes("");
      setTried(false);
      await client.invalidateQueries({ queryKey: ["releases", id] });
    },
  });
  if (!mayChange) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!wrong && commit && !create.isPending) create.mutate(commit.sha);
  };
  const pending = status.data?.changes.length ?? 0;
  return (
    <Card>
      <form className="form" onSubmit={submit} noValidate>
        <Heading level={2} data-size="xs">
          {t("deploy.new")}
        </Heading>
        <Textfield label={t("deploy.new.tag")} value={tag} spellCheck={false} error={tried && wrong} onChange={(event) => setVersion(event.target.value)} />
        <Textfield label={t("deploy.new.notes")} multiline rows={2} value={notes} onChange={(event) => setNotes(event.target.value)} />
        <Field>
          <Label>{t("deploy.new.commit")}</Label>
          <Select value={commit?.sha ?? ""} onChange={(event) => setSha(event.target.value)}>
            {pushed.slice(0, 20).map((one) => (
              <Select.Option key={one.sha} value={one.sha}>
                {one.sha.slice(0, 8)} {one.message.split("\n")[0]}
              </Select.Option>
            ))}
          </Select>
        </Field>
        {commits.data && !commit && <Alert data-color="info">{t("deploy.new.noCommit")}</Alert>}
        {pending > 0 && (
          <Alert data-color="info">
            <Paragraph>{t("deploy.new.pending", { n: pending })}</Paragraph>
            <Link asChild>
              <Go to={address("changes")}>{t("nav.changes")}</Go>
            </Link>
          </Alert>
        )}
        <ProblemAlert problem={create.error} />
        <div className="actions">
          <Button type="submit" loading={create.isPending} disabled={!commit}>
            {t("deploy.new.do")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Releases() {
  const t = useTexts();
  const when = useDates();
  const releases = useReleases();
  return (
    <Card>
      <Heading level={2} data-size="xs">
        {t("deploy.releases")}
      </Heading>
      <ProblemAlert problem={releases.error} />
      {releases.data?.length === 0 && <Paragraph>{t("deploy.noReleases")}</Paragraph>}
      <ul className="plain">
        {releases.data?.map((one) => (
          <li key={one.id} className="release">
            <div className="row">
              <strong>{one.tagName}</strong>
              <StateTag build={one.build} />
            </div>
            {one.body && <Paragraph className="notes">{one.body}</Paragraph>}
            <div className="quiet small">
              <code>{one.targetCommitish.slice(0, 8)}</code> {t("deploy.by", { who: one.createdBy, when: when(one.created) })}
            </div>
            <BuildLog build={one.build} name={one.tagName} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function History() {
  const t = useTexts();
  const deployments = useDeployments();
  const known = useTargets().data?.map((target) => target.name) ?? [];
  const groups = byEnvironment(deployments.data?.pipelineDeploymentList ?? [], known);
  return (
    <Card>
      <Heading level={2} data-size="xs">
        {t("deploy.history")}
      </Heading>
      {deployments.data && groups.length === 0 && <Paragraph>{t("deploy.noHistory")}</Paragraph>}
      {groups.map(([env, own]) => (
        <HistoryOf key={env} env={env} all={own} />
      ))}
    </Card>
  );
}

/** So many are shown at first. */
const NEWEST = 5;

function HistoryOf({ env, all }: { env: string; all: api.Deployment[] }) {
  const t = useTexts();
  const [open, setOpen] = useState(false);
  return (
    <section className="env-history" aria-label={t("deploy.historyOf", { env })}>
      <Heading level={3} data-size="2xs">
        {env}
      </Heading>
      <ul className="plain">
        {(open ? all : all.slice(0, NEWEST)).map((one) => (
          <li key={one.id} className="release">
            <Past deployment={one} />
          </li>
        ))}
      </ul>
      {all.length > NEWEST && !open && (
        <Button variant="tertiary" data-size="sm" onClick={() => setOpen(true)}>
          {t("deploy.historyAll", { n: all.length, env })}
        </Button>
      )}
    </section>
  );
}

function Past({ deployment }: { deployment: api.Deployment }) {
  const t = useTexts();
  const when = useDates();
  const { build, envName: env, tagName, events } = deployment;
  const name = deployment.deploymentType === "Deploy" ? t("deploy.what", { version: tagName ?? "", env }) : t("deploy.out", { env });
  return (
    <>
      <div className="row">
        <strong>{name}</strong>
        <StateTag build={build} event={lastEvent(deployment)} />
      </div>
      <div className="quiet small">{t("deploy.by", { who: deployment.createdBy, when: when(deployment.created) })}</div>
      {events.length > 0 && (
        <ul className="events" aria-label={t("deploy.events")}>
          {events.map((event, index) => (
            <li key={index} data-failed={hasFailed(event)}>
              <span className="quiet">{when(event.timestamp)}</span> <strong>{t(`event.${event.eventType}`)}</strong>
              {event.message && <div className="notes">{event.message}</div>}
            </li>
          ))}
        </ul>
      )}
      <BuildLog build={build} name={name} quiet={isOpen(build)} />
    </>
  );
}
