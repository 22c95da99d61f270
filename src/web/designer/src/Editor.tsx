// One app: the list of its parts, and the part that the address names.

import { beforeLeaving, Go, patiently, useRoute } from "@altinn-local/shared";
import { Button, Heading, Link, Paragraph } from "@digdir/designsystemet-react";
import {
  BranchingIcon,
  CheckmarkIcon,
  CodeIcon,
  CogIcon,
  DatabaseIcon,
  ExclamationmarkTriangleIcon,
  FilesIcon,
  HouseIcon,
  KeyHorizontalIcon,
  LanguageIcon,
  MenuHamburgerIcon,
  RocketIcon,
  TasklistIcon,
  TenancyIcon,
} from "@navikt/aksel-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState, useSyncExternalStore, type ComponentType } from "react";

import * as api from "./api";
import { Drafts, overHttp } from "./logic/drafts";
import { EditedProvider, useStatus } from "./parts/app";
import { Behind } from "./parts/Behind";
import { Frame } from "./parts/Frame";
import { Fallen, Loading, ProblemAlert } from "./parts/problems";
import { Overview } from "./pages/Overview";
import { useTexts, type Key } from "./texts";

// bpmn-js and CodeMirror are large; who does not open them does not wait for them.
const late = (load: () => Promise<{ default: ComponentType }>) => lazy(() => patiently(load));

const PAGES: { name: string; title: Key; icon: typeof HouseIcon; page: ComponentType }[] = [
  { name: "overview", title: "nav.overview", icon: HouseIcon, page: Overview },
  { name: "ui", title: "nav.ui", icon: TasklistIcon, page: late(() => import("./pages/Ui")) },
  { name: "texts", title: "nav.texts", icon: LanguageIcon, page: late(() => import("./pages/Texts")) },
  { name: "process", title: "nav.process", icon: TenancyIcon, page: late(() => import("./pages/Process")) },
  { name: "model", title: "nav.model", icon: DatabaseIcon, page: late(() => import("./pages/Model")) },
  { name: "policy", title: "nav.policy", icon: KeyHorizontalIcon, page: late(() => import("./pages/Policy")) },
  { name: "settings", title: "nav.settings", icon: CogIcon, page: late(() => import("./pages/Settings")) },
  { name: "files", title: "nav.files", icon: CodeIcon, page: late(() => import("./pages/Files")) },
  { name: "changes", title: "nav.changes", icon: BranchingIcon, page: late(() => import("./pages/Changes")) },
  { name: "deploy", title: "nav.deploy", icon: RocketIcon, page: late(() => import("./pages/Deploy")) },
];

export function Editor({ user, id }: { user: api.User; id: api.Id }) {
  const t = useTexts();
  const app = useQuery({ queryKey: ["app", id], queryFn: () => api.app(id) });
  const drafts = useMemo(() => new Drafts(overHttp(id)), [id.org, id.app]);
  const edited = useMemo(
    () => ({ id, drafts, mayChange: app.data?.mayChange ?? false }),
    [id.org, id.app, drafts, app.data?.mayChange],
  );
  useEffect(() => {
    beforeLeaving(() => drafts.flush());
    const warn = (event: BeforeUnloadEvent) => {
      if (drafts.phase !== "kept") event.preventDefault();
      void drafts.flush();
    };
    addEventListener("beforeunload", warn);
    return () => {
      beforeLeaving(() => Promise.resolve());
      removeEventListener("beforeunload", warn);
    };
  }, [drafts]);
  if (app.isPending) {
    return (
      <Frame user={user}>
        <Loading />
      </Frame>
    );
  }
  if (app.error) {
    return (
      <Frame user={user}>
        <main id="content" className="page narrow" tabIndex={-1}>
          <Heading level={1}>
            {id.org}/{id.app}
          </Heading>
          <ProblemAlert problem={app.error} retry={() => void app.refetch()} />
          <Paragraph>
            <Link asChild>
              <Go to="/dashboard">{t("notFound.back")}</Go>
            </Link>
          </Paragraph>
        </main>
      </Frame>
    );
  }
  return (
    <EditedProvider value={edited}>
      <Workplace user={user} id={id} drafts={drafts} />
    </EditedProvider>
  );
}

function Workplace({ user, id, drafts }: { user: api.User; id: api.Id; drafts: Drafts }) {
  const t = useTexts();
  const { parts } = useRoute();
  const name = parts[3] ?? "overview";
  const shown = PAGES.find((page) => page.name === name) ?? PAGES[0];
  const [open, setOpen] = useState(false);
  useEffect(() => {
    setOpen(false);
    if (shown) document.title = `${t(shown.title)} – ${id.org}/${id.app} – ${t("app.name")}`;
  }, [shown, t, id]);
  const Page = shown?.page ?? Overview;
  const title = (
    <span className="head-app">
      {id.org}/<strong>{id.app}</strong>
    </span>
  );
  return (
    <Frame user={user} title={title} state={<SaveState drafts={drafts} id={id} />}>
      <div className="workplace">
        <div className="side">
          <Button
            className="menu-button"
            variant="secondary"
            data-color="neutral"
            aria-expanded={open}
            aria-controls="parts"
            onClick={() => setOpen(!open)}
          >
            <MenuHamburgerIcon aria-hidden fontSize="1.4rem" />
            {shown ? t(shown.title) : t("menu")}
          </Button>
          <nav id="parts" aria-label={t("nav.label")} className={open ? "parts open" : "parts"}>
            <ul>
              {PAGES.map((page) => (
                <li key={page.name}>
                  <Go to={`/editor/${id.org}/${id.app}/${page.name}`} aria-current={page === shown ? "page" : undefined}>
                    <page.icon aria-hidden fontSize="1.35rem" />
                    <span>{t(page.title)}</span>
                    {page.name === "changes" && <ChangeCount />}
                  </Go>
                </li>
              ))}
              <li className="parts-end">
                <Go to="/dashboard">
                  <FilesIcon aria-hidden fontSize="1.35rem" />
                  <span>{t("nav.apps")}</span>
                </Go>
              </li>
            </ul>
          </nav>
        </div>
        <main id="content" className="page" tabIndex={-1}>
          {name !== "changes" && <Behind />}
          <Fallen key={name}>
            <Suspense fallback={<Loading />}>
              <Page />
            </Suspense>
          </Fallen>
        </main>
      </div>
    </Frame>
  );
}

function ChangeCount() {
  const t = useTexts();
  const n = useStatus().data?.changes.length ?? 0;
  if (n === 0) return null;
  return (
    <span className="count">
      <span aria-hidden>{n}</span>
      <span className="ds-sr-only">{t("overview.changed", { n })}</span>
    </span>
  );
}

/** Whether edits are kept; what was written changes what is to be committed. */
function SaveState({ drafts, id }: { drafts: Drafts; id: api.Id }) {
  const t = useTexts();
  const client = useQueryClient();
  const phase = useSyncExternalStore(drafts.subscribe, () => drafts.phase);
  useEffect(() => {
    if (phase !== "kept") return;
    void client.invalidateQueries({ queryKey: ["status", id] });
    void client.invalidateQueries({ queryKey: ["files", id] });
  }, [phase, client, id]);
  const refused = phase === "refused";
  const text = refused ? t("save.refused") : phase === "kept" ? t("save.kept") : t("save.writing");
  const Icon = refused ? ExclamationmarkTriangleIcon : CheckmarkIcon;
  return (
    <span className="save-state" data-phase={phase} role="status">
      <Icon aria-hidden fontSize="1.2rem" />
      <span>{text}</span>
    </span>
  );
}
