// A test person who is logged in to an app and has a form there, without having gone through the log-in page.

import { request } from "node:http";

/** Somebody who may act for nobody else. */
const USER = 12345;
const PARTY = 512345;

/** The host of the platform's services, which is beside that of an organisation's apps. */
export const platformOf = (app) => new URL(app).host.replace(/^[^.]+\.apps\./, "platform.");

/** Logs the person in to a browser's context; gives the address of a new form of theirs, below the app's own. */
export async function begun(context, app) {
  const platform = platformOf(app);
  const token = await ask("GET", `http://${platform}/Home/GetTestUserToken/${USER}`);
  if (token.status !== 200) throw new Error(`${platform} has no token for user ${USER}: ${token.status} ${token.body}`);
  const value = token.body.toString();
  await context.addCookies([
    { name: "AltinnStudioRuntime", value, domain: new URL(app).hostname, path: "/", httpOnly: true, sameSite: "Lax" },
  ]);
  const made = await ask("POST", `${app}/instances?instanceOwnerPartyId=${PARTY}`, { Authorization: `Bearer ${value}` });
  if (made.status !== 201) throw new Error(`no form: ${made.status} ${made.body}`);
  return `#/instance/${JSON.parse(made.body).id}`;
}

/** An answer as it is, whatever the resolver knows of `*.localhost`; `heed` is given each piece as it comes. */
export function ask(method, address, headers = {}, heed = () => {}) {
  return new Promise((done, failed) => {
    const { host, port, pathname, search } = new URL(address);
    // A connection of its own: one that is kept is closed when the router takes new routes.
    const options = { agent: false, method, host: "127.0.0.1", port, path: pathname + search, headers: { Host: host, ...headers } };
    request(options, async (answer) => {
      const parts = [];
      for await (const part of answer) {
        parts.push(part);
        if (heed(part) === false) break;
      }
      done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
    })
      .setTimeout(10_000, function () { this.destroy(new Error(`${address} is silent`)); })
      .on("error", failed)
      .end();
  });
}
