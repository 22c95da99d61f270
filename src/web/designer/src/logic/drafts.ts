// Files under edit. A change shows at once and is written a moment later; writes of one file go one after the other,
// each over the version that the last one made, so nothing of others is written over unseen.

import { get, Problem, request } from "@altinn-local/shared";

import { filePath, type Contents, type Id } from "../api";

/** Where a file's edits are: on their way, kept, or refused. */
export type Phase = "loading" | "kept" | "waiting" | "writing" | "refused";

export interface DraftState {
  /** `undefined` while loading, and when there is no such file. */
  text: string | undefined;
  missing: boolean;
  /** Whether it is no text, or too long for an editor. */
  opaque: boolean;
  phase: Phase;
  problem: Problem | undefined;
}

/** How files are read and written; the tests have their own. */
export interface Transport {
  read(path: string): Promise<Contents>;
  /** Gives the new etag. `etag` is `null` for a new file. */
  write(path: string, text: string, etag: string | null): Promise<string>;
}

const PAUSE = 500;

/** One file. */
export class Draft {
  state: DraftState = {
    text: undefined,
    missing: false,
    opaque: false,
    phase: "loading",
    problem: undefined,
  };
  private etag: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: Promise<void> = Promise.resolve();
  private readonly heard = new Set<() => void>();

  constructor(
    private readonly path: string,
    private readonly transport: Transport,
    private readonly told: () => void,
  ) {
    void this.load();
  }

  subscribe = (hear: () => void) => {
    this.heard.add(hear);
    return () => {
      this.heard.delete(hear);
    };
  };

  private set(change: Partial<DraftState>) {
    this.state = { ...this.state, ...change };
    for (const hear of this.heard) hear();
    this.told();
  }

  /** Reads the file anew; what was not written is given up. */
  async load() {
    clearTimeout(this.timer);
    try {
      const { text, etag } = await this.transport.read(this.path);
      this.etag = etag;
      const opaque = text === null;
      this.set({ text: text ?? undefined, missing: false, opaque, phase: "kept", problem: undefined });
    } catch (error) {
      this.etag = null;
      const problem = asProblem(error);
      const missing = problem.status === 404;
      const phase = missing ? "kept" : "refused";
      this.set({ text: undefined, missing, phase, problem: missing ? undefined : problem });
    }
  }

  /** Takes a new text; it is written when no other follows for a moment. */
  edit(text: string) {
    if (text === this.state.text) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), PAUSE);
    this.set({ text, missing: false, phase: "waiting" });
  }

  /** Writes what was not written yet; done when it is kept or refused. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.turn = this.turn.then(() => this.write());
    return this.turn;
  }

  private async write() {
    const { text, phase } = this.state;
    if (text === undefined || (phase !== "waiting" && phase !== "refused")) return;
    // A version that others changed is not written over: the user chooses.
    if (this.state.problem?.status === 412) {
      this.set({ phase: "refused" });
      return;
    }
    this.set({ phase: "writing" });
    try {
      this.etag = await this.transport.write(this.path, text, this.etag);
      this.set({ phase: this.state.text === text ? "kept" : "waiting", problem: undefined });
    } catch (error) {
      this.set({ phase: "refused", problem: asProblem(error) });
    }
  }

  /** Writes the user's text over what others made of the file. */
  async insist() {
    const { etag } = await this.transport.read(this.path);
    this.etag = etag;
    this.set({ phase: "waiting", problem: undefined });
    await this.flush();
  }
}

const asProblem = (error: unknown) =>
  error instanceof Problem ? error : new Problem(0, String(error), "offline");

/** The files of one app that were opened. */
export class Drafts {
  private readonly all = new Map<string, Draft>();
  private readonly heard = new Set<() => void>();
  phase: Phase = "kept";

  constructor(private readonly transport: Transport) {}

  open(path: string): Draft {
    let draft = this.all.get(path);
    if (!draft) {
      draft = new Draft(path, this.transport, () => this.sum());
      this.all.set(path, draft);
    }
    return draft;
  }

  subscribe = (hear: () => void) => {
    this.heard.add(hear);
    return () => {
      this.heard.delete(hear);
    };
  };

  private sum() {
    const phases = [...this.all.values()].map((draft) => draft.state.phase);
    const order: Phase[] = ["refused", "writing", "waiting"];
    const phase = order.find((phase) => phases.includes(phase)) ?? "kept";
    if (phase === this.phase) return;
    this.phase = phase;
    for (const hear of this.heard) hear();
  }

  /** Writes all that was not written; whether all of it is kept. */
  async flush(): Promise<boolean> {
    const drafts = [...this.all.values()];
    await Promise.all(drafts.map((draft) => draft.flush()));
    return drafts.every((draft) => draft.state.phase !== "refused");
  }

  /** Lets go of a file that is no more, so that nobody asks for it. */
  forget(path: string) {
    this.all.delete(path);
    this.sum();
  }

  /** Reads all files anew, after something else changed them. */
  async reload() {
    await Promise.all([...this.all.values()].map((draft) => draft.load()));
    this.sum();
  }
}

/** Reads and writes by Designer's service. */
export const overHttp = (id: Id): Transport => ({
  read: (path) => get<Contents>(filePath(id, path)),
  write: async (path, text, etag) => {
    const answer = await request(filePath(id, path), {
      method: "PUT",
      body: text,
      headers: {
        "Content-Type": "text/plain; charset=utf-8",
        ...(etag === null ? { "If-None-Match": "*" } : { "If-Match": `"${etag}"` }),
      },
    });
    return (answer.headers.get("ETag") ?? "").replaceAll('"', "");
  },
});
