// Asks the server that the page came from. What it refuses comes as problem details (RFC 9457).

/** A refusal: `code` is a word for the page, `message` the server's own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string = "",
    /** What is wrong with which field of the request. */
    readonly errors: Record<string, string[]> = {},
  ) {
    super(message);
  }
}

interface Details {
  title?: string;
  detail?: string;
  code?: string;
  errors?: Record<string, string[]>;
}

/** The word that proves to the server that a request comes from its own page. */
const word = () => /(?:^|; )XSRF-TOKEN=([^;]*)/.exec(document.cookie)?.[1] ?? "";

async function refusal(answer: Response): Promise<Problem> {
  const details = (await answer.json().catch(() => ({}))) as Details;
  const first = Object.values(details.errors ?? {})[0]?.[0];
  const message = first ?? details.detail ?? details.title ?? answer.statusText;
  return new Problem(answer.status, message, details.code, details.errors);
}

/** Before what got no answer is sent again, in ms. */
const PAUSES = [150, 500, 1_500];

/** A word that no other request has. */
const mark = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * One request; a refusal is thrown as `Problem`, silence too, with status 0. A browser gives up what is on its way when
 * a network of the machine comes or goes, as that of any container: so silence is not the end at once. What changes
 * something is marked, and the server does it once.
 */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const changing = !["GET", "HEAD"].includes(options.method ?? "GET");
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  if (changing) {
    headers.set("X-XSRF-TOKEN", word());
    headers.set("Idempotency-Key", mark());
  }
  const answer = await patiently(() => whole(path, { ...options, headers, credentials: "same-origin" }));
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

/** An answer with all of its body: that may break off, too. */
async function whole(path: string, options: RequestInit): Promise<Response> {
  const answer = await fetch(path, options);
  const body = await answer.arrayBuffer();
  return new Response(body.byteLength > 0 ? body : null, answer);
}

/** Asks, and asks again where nobody answers. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const pause of [...PAUSES, undefined]) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      if (pause !== undefined) await new Promise((done) => setTimeout(done, pause));
    }
  }
  throw new Problem(0, "no answer", "offline");
}

/** GET of JSON. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await request(path, signal ? { signal } : {});
  return (await answer.json()) as T;
}

/** Sends JSON; gives the answer's JSON, when it has any. */
export async function send<T = void>(method: string, path: string, body?: unknown): Promise<T> {
  const options: RequestInit = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const text = await (await request(path, options)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}
