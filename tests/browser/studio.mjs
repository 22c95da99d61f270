// A Studio to test in. `STUDIO_URL` names one that is up, with `STUDIO_USER` and `STUDIO_PASSWORD`; else one is made
// here: Gitea in a container, Designer's service (`ALTINN_SERVICES` names the program) and a pipeline that builds nothing.

import { execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { pipeline } from "./pipeline.mjs";
import { until } from "./waiting.mjs";

const run = promisify(execFile);
const IMAGE = process.env.GITEA_IMAGE ?? "altinn-local/gitea:1.21.10";

/** Whether there is something to test with. */
export const possible = Boolean(process.env.STUDIO_URL || process.env.ALTINN_SERVICES);

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** The Studio's address, a user with their password, and how to end it. */
export async function studio() {
  const { STUDIO_URL, STUDIO_USER, STUDIO_PASSWORD } = process.env;
  if (STUDIO_URL) {
    const url = STUDIO_URL.replace(/\/$/, "");
    const folder = await mkdtemp(join(tmpdir(), "studio-"));
    const signed = url.replace("//", `//${STUDIO_USER}:${STUDIO_PASSWORD}@`);
    const clone = (path) => cloned(`${signed}/repos/${path}.git`, join(folder, "clone"));
    return { url, user: STUDIO_USER, password: STUDIO_PASSWORD, clone, end: () => rm(folder, { recursive: true, force: true }) };
  }
  const ends = [];
  const end = async () => {
    for (const one of ends.reverse()) await one();
  };
  try {
    return { ...(await made(ends)), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function made(ends) {
  const [port, giteaPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), "studio-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const url = `http://studio.localhost:${port}`;
  const gitea = await startGitea(giteaPort, folder, ends);
  const user = "kari";
  const password = "Kari-pass-1";
  const client = await seed(gitea, user, password, `${url}/signin-oidc`);
  await writeFile(join(folder, "secret"), client.client_secret);
  const token = "the-pipelines-token";
  const fake = await pipeline({ port: 0, hooked: `http://127.0.0.1:${port}`, hostname: `altinn.localhost:${port}`, token });
  ends.push(async () => fake.close());
  const words = {
    listen: `127.0.0.1:${port}`,
    data: join(folder, "data"),
    "public-url": url,
    gitea: gitea.base,
    "gitea-public-url": `http://studio.localhost:${giteaPort}`,
    "oauth-client-id": client.client_id,
    "oauth-secret": `@${join(folder, "secret")}`,
    pipeline: `${fake.url}/_apis`,
    "pipeline-token": token,
    environments: `${fake.url}/environments.json`,
    clusters: `${fake.url}/apps/{org}/{env}`,
    database: `sqlite:${join(folder, "designer.db")}`,
  };
  const options = Object.entries(words).flatMap(([name, value]) => [`--${name}`, value]);
  const program = spawn(process.env.ALTINN_SERVICES, ["designer", ...options], { stdio: ["ignore", "inherit", "inherit"] });
  ends.push(async () => {
    program.kill();
    await new Promise((done) => program.once("exit", done));
  });
  await until("Designer", () => healthy(`http://127.0.0.1:${port}/health`));
  const clone = (path) => cloned(`${gitea.base.replace("//", `//${user}:${password}@`)}/${path}.git`, join(folder, "clone"));
  return { url, user, password, gitea, fake, clone };
}

/** A clone, as of somebody who works in an editor of their own; gives a function that runs git in it. */
async function cloned(url, folder) {
  await run("git", ["clone", "--quiet", url, folder]);
  const git = async (...words) => (await run("git", ["-C", folder, "-c", "user.name=Ola", "-c", "user.email=ola@localhost", ...words])).stdout;
  return { folder, git };
}

const healthy = (url) =>
  fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );

async function startGitea(port, folder, ends) {
  const name = `t-designer-test-${port}`;
  const settings = `
RUN_USER = git
WORK_PATH = /var/lib/gitea
[server]
HTTP_PORT = 3000
ROOT_URL = http://studio.localhost:${port}/
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = /var/lib/gitea/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = ${"s".repeat(40)}
INTERNAL_TOKEN = eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjE2MDAwMDAwMDB9.2bD8d0c4L0n5l6zM0d8sC3x7gq6y1m3vXqkYw2nQnTk
PASSWORD_HASH_ALGO = pbkdf2_v1
[oauth2]
JWT_SECRET = kT3yJ0m2Hq9b1c5f8e7d6a4b3c2d1e0f9a8b7c6d5e4
[service]
DISABLE_REGISTRATION = true
REQUIRE_SIGNIN_VIEW = true
[repository]
DEFAULT_BRANCH = master
[picture]
DISABLE_GRAVATAR = true
[cron]
ENABLED = false
[log]
LEVEL = Warn
`;
  await writeFile(join(folder, "app.ini"), settings, { mode: 0o644 });
  await run("docker", ["create", "--name", name, "-p", `127.0.0.1:${port}:3000`, IMAGE]);
  ends.push(() => run("docker", ["rm", "-f", "-v", name]));
  await run("docker", ["cp", join(folder, "app.ini"), `${name}:/etc/gitea/app.ini`]);
  await run("docker", ["start", name]);
  const base = `http://127.0.0.1:${port}`;
  await until("Gitea", () => healthy(`${base}/api/healthz`));
  const user = ["--username", "boss", "--password", "Boss-pass-1", "--email", "boss@localhost.localdomain"];
  await run("docker", ["exec", name, "gitea", "--config", "/etc/gitea/app.ini", "admin", "user", "create", ...user, "--admin", "--must-change-password=false"]);
  const call = async (method, path, body) => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Basic ${btoa("boss:Boss-pass-1")}` },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  };
  return { base, call };
}

/** A developer in the teams that develop and deploy, and Designer's OAuth application. */
async function seed({ call }, user, password, back) {
  const email = `${user}@localhost.localdomain`;
  await call("POST", "/admin/users", { username: user, password, email, full_name: "Kari Nordmann", must_change_password: false });
  await call("POST", "/orgs", { username: "ttd", full_name: "Testdepartementet" });
  for (const [name, permission] of [["Deploy-LOCAL", "read"], ["Devs", "write"]]) {
    const team = { name, permission, units: ["repo.code"], includes_all_repositories: true, can_create_org_repo: name === "Devs" };
    const { id } = await call("POST", "/orgs/ttd/teams", team);
    await call("PUT", `/teams/${id}/members/${user}`);
  }
  return call("POST", "/user/applications/oauth2", { name: "designer", redirect_uris: [back], confidential_client: true });
}
