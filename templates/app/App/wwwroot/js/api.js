// Asks the app. Who is not logged in goes to the platform's log-in page, and comes back to where they were.

const authentication = document.querySelector("meta[name=authentication]")?.content ?? "";

/** An answer that is not a good one; `problem` is what it says. */
export class Refusal extends Error {
  constructor(path, status, problem) {
    super(problem.detail ?? `${path}: ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** The answer as JSON; `undefined` when it is empty. `body` is sent as JSON, unless it is a file. */
export async function ask(path, { method = "GET", body, headers = {}, ...rest } = {}) {
  const file = body instanceof Blob;
  const answer = await fetch(path, {
    method,
    headers: {
      ...(body === undefined || file ? {} : { "Content-Type": "application/json" }),
      // Proves that a page of this app asks; the cookie of the log-in alone does not.
      ...(method === "GET" ? {} : { "X-XSRF-TOKEN": cookie("XSRF-TOKEN") }),
      ...headers,
    },
    body: body === undefined || file ? body : JSON.stringify(body),
    ...rest,
  });
  if (answer.status === 401 && authentication) {
    location.assign(`${authentication}authentication?goto=${encodeURIComponent(location.href)}`);
    // Nothing goes on here: the page is left.
    return new Promise(() => {});
  }
  const text = await answer.text();
  if (!answer.ok) throw new Refusal(path, answer.status, read(text) ?? {});
  return read(text);
}

/** Where the session is ended. */
export const logout = authentication && `${authentication}logout`;

function read(text) {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
