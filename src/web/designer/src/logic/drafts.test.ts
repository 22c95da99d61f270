import { Problem } from "@altinn-local/shared";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Drafts, type Transport } from "./drafts";

/** A server with one file, whose etag counts its versions. */
function server(text: string | undefined) {
  let version = 1;
  const writes: string[] = [];
  let down = false;
  const transport: Transport = {
    read: async (path) => {
      if (text === undefined) throw new Problem(404, "none");
      return { path, size: text.length, etag: String(version), text };
    },
    write: async (_, next, etag) => {
      if (down) throw new Problem(0, "away", "offline");
      const right = text === undefined ? etag === null : etag === String(version);
      if (!right) throw new Problem(412, "changed", "changed");
      text = next;
      version += 1;
      writes.push(next);
      return String(version);
    },
  };
  return {
    transport,
    writes,
    text: () => text,
    others: (next: string) => {
      text = next;
      version += 1;
    },
    away: (is: boolean) => {
      down = is;
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = () => vi.advanceTimersByTimeAsync(1_000);

test("many edits make one write, and the next goes over it", async () => {
  const { transport, writes } = server("0");
  const drafts = new Drafts(transport);
  const draft = drafts.open("a");
  await settled();
  for (const text of ["1", "12", "123"]) draft.edit(text);
  expect([draft.state.phase, drafts.phase, draft.state.text]).toEqual(["waiting", "waiting", "123"]);
  await settled();
  draft.edit("1234");
  await settled();
  expect(writes).toEqual(["123", "1234"]);
  expect([draft.state.phase, drafts.phase]).toEqual(["kept", "kept"]);
});

test("a file that is not there is made", async () => {
  const { transport, text } = server(undefined);
  const draft = new Drafts(transport).open("a");
  await settled();
  expect(draft.state.missing).toBe(true);
  draft.edit("new");
  await settled();
  expect([text(), draft.state.phase]).toEqual(["new", "kept"]);
});

test("what others wrote is not written over before the user chose", async () => {
  const { transport, others, text } = server("0");
  const drafts = new Drafts(transport);
  const draft = drafts.open("a");
  await settled();
  others("theirs");
  draft.edit("mine");
  await settled();
  expect([draft.state.problem?.status, drafts.phase, text()]).toEqual([412, "refused", "theirs"]);
  draft.edit("mine too");
  await settled();
  expect([text(), drafts.phase]).toEqual(["theirs", "refused"]);
  expect(await drafts.flush()).toBe(false);
  await draft.insist();
  await settled();
  expect([text(), draft.state.phase]).toEqual(["mine too", "kept"]);
  others("again");
  draft.edit("x");
  await settled();
  await draft.load();
  expect([draft.state.text, draft.state.phase]).toEqual(["again", "kept"]);
});

test("a server that is away loses nothing", async () => {
  const { transport, away, text } = server("0");
  const drafts = new Drafts(transport);
  const draft = drafts.open("a");
  await settled();
  away(true);
  draft.edit("1");
  await settled();
  expect([draft.state.phase, draft.state.text]).toEqual(["refused", "1"]);
  expect(await drafts.flush()).toBe(false);
  away(false);
  expect(await drafts.flush()).toBe(true);
  expect(text()).toBe("1");
});

test("a file that was let go of is not asked for again", async () => {
  let reads = 0;
  const drafts = new Drafts({ read: async (path) => ({ path, size: 1, text: "a", etag: String((reads += 1)) }), write: async () => "" });
  drafts.open("a");
  drafts.open("b");
  await settled();
  drafts.forget("a");
  await drafts.reload();
  expect(reads).toBe(3);
});
