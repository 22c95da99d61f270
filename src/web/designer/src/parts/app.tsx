// The app that is edited: its names, its files under edit, what the user may do.

import { go } from "@altinn-local/shared";
import { Alert, Button, Link, Paragraph } from "@digdir/designsystemet-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useSyncExternalStore } from "react";

import * as api from "../api";
import type { Draft, Drafts, DraftState } from "../logic/drafts";
import { useTexts } from "../texts";
import { SignInAgain, useProblemText } from "./problems";

export interface Edited {
  id: api.Id;
  drafts: Drafts;
  mayChange: boolean;
}

const Context = createContext<Edited | undefined>(undefined);
export const EditedProvider = Context.Provider;

export function useApp(): Edited {
  const edited = useContext(Context);
  if (!edited) throw new Error("outside of an app");
  return edited;
}

/** The addresses of the app's pages. */
export const useAddress = () => {
  const { id } = useApp();
  return (page: string, query?: Record<string, string>) => {
    const words = query ? `?${new URLSearchParams(query)}` : "";
    return `/editor/${id.org}/${id.app}/${page}${words}`;
  };
};

/** The app's files. */
export function useFileList() {
  const { id } = useApp();
  return useQuery({ queryKey: ["files", id], queryFn: () => api.files(id) });
}

/** The paths of the app's files. */
export function useFiles() {
  const { id } = useApp();
  return useQuery({
    queryKey: ["files", id],
    queryFn: () => api.files(id),
    select: (files) => files.map((file) => file.path),
  });
}

export interface Document extends DraftState {
  path: string;
  draft: Draft;
  edit: (text: string) => void;
}

/** A file under edit. */
export function useDocument(path: string): Document {
  const { drafts } = useApp();
  const draft = drafts.open(path);
  const state = useSyncExternalStore(draft.subscribe, () => draft.state);
  return { ...state, path, draft, edit: (text) => draft.edit(text) };
}

/** Several files under edit. `paths` may change from one showing to the next. */
export function useDocuments(paths: string[]): Document[] {
  const { drafts } = useApp();
  const opened = paths.map((path) => drafts.open(path));
  // The states themselves are the snapshot; their joint identity is what changes.
  useSyncExternalStore(
    (hear) => {
      const leave = opened.map((draft) => draft.subscribe(hear));
      return () => {
        for (const end of leave) end();
      };
    },
    () => snapshot(opened),
  );
  return opened.map((draft, index) => ({
    ...draft.state,
    path: paths[index] ?? "",
    draft,
    edit: (text) => draft.edit(text),
  }));
}

const numbers = new WeakMap<DraftState, number>();
let count = 0;

/** Names each state by a number, so that several of them make one text to compare. */
function snapshot(drafts: Draft[]): string {
  return drafts
    .map((draft) => {
      if (!numbers.has(draft.state)) numbers.set(draft.state, (count += 1));
      return numbers.get(draft.state);
    })
    .join();
}

/** Does something to the working copy: first all edits are written, afterwards all is read anew. */
export function useWork() {
  const { id, drafts } = useApp();
  const client = useQueryClient();
  return async <T,>(work: () => Promise<T>): Promise<T> => {
    await drafts.flush();
    try {
      return await work();
    } finally {
      await drafts.reload();
      await Promise.all(
        ["files", "status", "commits", "branches", "diff"].map((key) => client.invalidateQueries({ queryKey: [key, id] })),
      );
    }
  };
}

/** How the working copy stands. */
export function useStatus(fetch = false) {
  const { id } = useApp();
  return useQuery({
    queryKey: ["status", id, fetch],
    queryFn: () => api.status(id, fetch),
    refetchInterval: fetch ? 30_000 : false,
  });
}

/** What stands in the way of editing a file: it is gone, was changed by others, was not saved. */
export function DocumentProblem({ document, readable = true }: { document: Document; readable?: boolean }) {
  const t = useTexts();
  const text = useProblemText();
  const address = useAddress();
  const { path, draft, problem, missing, phase } = document;
  if (problem?.status === 412) {
    return (
      <Alert data-color="warning" role="alert">
        <Paragraph>{t("draft.changed", { path })}</Paragraph>
        <div className="actions">
          <Button data-size="sm" variant="secondary" onClick={() => void draft.load()}>
            {t("draft.reload")}
          </Button>
          <Button data-size="sm" variant="tertiary" onClick={() => void draft.insist()}>
            {t("draft.insist")}
          </Button>
        </div>
      </Alert>
    );
  }
  if (problem) {
    return (
      <Alert data-color="danger" role="alert">
        <Paragraph>{t("draft.refused", { path, why: text(problem) })}</Paragraph>
        <SignInAgain problem={problem} />
        <Button data-size="sm" variant="secondary" onClick={() => void (document.text === undefined ? draft.load() : draft.flush())}>
          {t("draft.again")}
        </Button>
      </Alert>
    );
  }
  if (missing) return <Alert data-color="info">{t("draft.missing", { path })}</Alert>;
  if (!readable && phase !== "loading") {
    const file = address("files", { path });
    return (
      <Alert data-color="warning">
        <Paragraph>{t("draft.unreadable", { path })}</Paragraph>
        <Link
          href={file}
          onClick={(event) => {
            event.preventDefault();
            go(file);
          }}
        >
          {t("draft.openFile")}
        </Link>
      </Alert>
    );
  }
  return null;
}
