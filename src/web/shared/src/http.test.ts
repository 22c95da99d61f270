import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { get, Problem, send } from "./http";

const asked: Request[] = [];

/** Answers in turn; what is an error is thrown, as by a network that went away. */
function server(...answers: (Error | Response)[]) {
  vi.stubGlobal("fetch", (path: string, options: RequestInit) => {
    asked.push(new Request(new URL(path, "http://studio.localhost"), options));
    const answer = answers[asked.length - 1];
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error("nobody expected this"));
  });
}

const away = () => new TypeError("Failed to fetch");
const marks = () => asked.map((request) => request.headers.get("Idempotency-Key"));

beforeEach(() => {
  asked.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal("document", { cookie: "XSRF-TOKEN=word" });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What came of it, with all pauses passed. */
async function outcome<T>(work: Promise<T>): Promise<T | Problem> {
  const done = work.catch((problem: Problem) => problem);
  await vi.runAllTimersAsync();
  return done;
}

test("what got no answer is sent again, as the same wish", async () => {
  server(away(), away(), Response.json({ id: 7 }));
  expect(await outcome(send("POST", "/releases", { tagName: "1.0.0" }))).toEqual({ id: 7 });
  expect(asked.length).toBe(3);
  expect(marks()[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(marks()).size).toBe(1);
  expect(await asked[2]?.json()).toEqual({ tagName: "1.0.0" });
  expect(asked[2]?.headers.get("X-XSRF-TOKEN")).toBe("word");
});

test("two wishes are two", async () => {
  server(new Response(null, { status: 204 }), new Response(null, { status: 204 }));
  await outcome(send("POST", "/push"));
  await outcome(send("POST", "/push"));
  expect(new Set(marks()).size).toBe(2);
});

test("an answer that breaks off is asked for again", async () => {
  const half = new ReadableStream({
    start: (stream) => {
      stream.enqueue(new TextEncoder().encode('{"id":'));
      stream.error(new TypeError("network error"));
    },
  });
  server(new Response(half), Response.json({ id: 7 }));
  expect(await outcome(get("/release"))).toEqual({ id: 7 });
  expect(marks()).toEqual([null, null]);
});

test("a refusal is the answer, and silence ends", async () => {
  server(Response.json({ detail: "taken", code: "exists" }, { status: 409 }));
  const refused = (await outcome(send("POST", "/branch"))) as Problem;
  expect([refused.status, refused.code, asked.length]).toEqual([409, "exists", 1]);

  asked.length = 0;
  server(away(), away(), away(), away());
  const silent = (await outcome(get("/status"))) as Problem;
  expect([silent.status, silent.code, asked.length]).toEqual([0, "offline", 4]);
});

test("what the page gives up itself is not asked for again", async () => {
  server(new DOMException("given up", "AbortError"));
  const given = await outcome(get("/apps"));
  expect([(given as Problem).name, asked.length]).toEqual(["AbortError", 1]);
});
