// The stack that the tests speak to, and an app of their own in its Gitea: no file of a workstation's app is touched.
// `scripts/clients` sets what is read from the environment here.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: \`scripts/clients\` runs these tests`);
  return value;
}

export const pipeline = setting('PIPELINE_URL');
export const token = setting('PIPELINE_TOKEN');
export const router = setting('ROUTER_URL');
const gitea = setting('GITEA_URL');
const [user, password] = [setting('GITEA_USER'), setting('GITEA_PASSWORD')];
const program = setting('ALTINN_LOCAL');

export const port = new URL(router).port;
export const org = 'ttd';
/** What Designer calls the stack's Gitea: without a scheme. */
export const giteaEnvironment = `studio.localhost:${port}/repos`;
/** A real build on a machine that others use too. */
export const PATIENCE = 300_000;

export const basic = (name, secret) =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

/** One answer, read whole. `host` goes into the header alone: not every resolver knows `*.localhost`. */
export function ask(method, url, { headers = {}, body, host } = {}) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const all = { ...(text && { 'content-type': 'application/json' }), ...headers };
  if (host) all.host = host;
  if (text) all['content-length'] = Buffer.byteLength(text);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: all, agent: false }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const told = Buffer.concat(parts).toString();
        let json;
        try {
          json = JSON.parse(told);
        } catch {
          json = undefined;
        }
        resolve({ status: answer.statusCode, headers: answer.headers, text: told, json });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}

/** The pipeline, as Designer asks it. */
export const askPipeline = (method, path, more = {}) =>
  ask(method, `${pipeline}${path}`, {
    ...more,
    headers: { authorization: basic('', token), ...more.headers },
  });

/** The pipeline's name at the router, where some things are open. */
export const askOpen = (path) => ask('GET', `${router}${path}`, { host: `pipeline.studio.localhost:${port}` });

export async function askGitea(method, path, body) {
  const headers = { authorization: basic(user, password) };
  const answer = await ask(method, `${gitea}/api/v1${path}`, { headers, body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

export async function newToken() {
  const name = `clients-${randomBytes(4).toString('hex')}`;
  const made = await askGitea('POST', `/users/${user}/tokens`, { name, scopes: ['all'] });
  return made.sha1;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a value that is not `undefined`. */
export async function until(what, find, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience} ms`);
    await sleep(200);
  }
}

export const run = async (id) => (await askPipeline('GET', `/_apis/build/builds/${id}`)).json;

/** A run's end. */
export const ended = (id) =>
  until(`the end of run ${id}`, async () => {
    const told = await run(id);
    return told.status === 'completed' ? told : undefined;
  });

/** Every line that a run said. */
export async function said(id) {
  const logs = (await askPipeline('GET', `/_apis/build/builds/${id}/logs`)).json.value;
  const texts = await Promise.all(
    logs.map((log) => askPipeline('GET', `/_apis/build/builds/${id}/logs/${log.id}`)),
  );
  return texts.flatMap((text) => text.json.value);
}

/** The names of a run's tasks, each with its result. */
export async function tasks(id) {
  const { records } = (await askPipeline('GET', `/_apis/build/builds/${id}/timeline`)).json;
  const own = records.filter((record) => record.type === 'Task');
  return Object.fromEntries(own.map((record) => [record.name, record.result]));
}

/** What is deployed, by the cluster's own word: the tag of a release. */
export async function deployed(name) {
  const path = `/clusters/${org}/local/kuberneteswrapper/api/v1/deployments`;
  const told = (await askOpen(`${path}?labelSelector=release=${org}-${name}`)).json;
  return told[0]?.version;
}

/** An app of the tests' own in Gitea. */
export class App {
  /** Made as a developer makes one, and pushed. */
  static async made(isPrivate = false) {
    const app = new App();
    app.name = `clients-${randomBytes(2).toString('hex')}`;
    app.folder = mkdtempSync(join(tmpdir(), 'altinn-clients-'));
    app.tree = join(app.folder, app.name);
    execFileSync(program, ['app', 'new', `${org}/${app.name}`, app.tree], { stdio: 'pipe' });
    await askGitea('POST', `/orgs/${org}/repos`, { name: app.name, private: isPrivate, default_branch: 'master' });
    const address = new URL(`${gitea}/${org}/${app.name}.git`);
    [address.username, address.password] = [user, password];
    app.git('branch', '-M', 'master');
    app.git('remote', 'add', 'gitea', address.href);
    app.git('push', '-q', 'gitea', 'master');
    return app;
  }

  git(...words) {
    const own = ['-c', 'user.name=clients', '-c', 'user.email=clients@example.com'];
    return execFileSync('git', [...own, ...words], { cwd: this.tree, encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  get head() {
    return this.git('rev-parse', 'HEAD');
  }

  /** A commit in which `/health` says something else, pushed; tells its digits. */
  say(text) {
    const file = join(this.tree, 'App/Startup.cs');
    const source = readFileSync(file, 'utf8');
    const next = source.replace(/(MapGet\("\/health".*WriteAsync\(")[^"]*/, `$1${text}`);
    if (next === source) throw new Error('App/Startup.cs has no health endpoint that could say something else');
    writeFileSync(file, next);
    return this.push(`app: say ${text}`);
  }

  append(name, text) {
    appendFileSync(join(this.tree, name), text);
  }

  push(subject) {
    this.git('commit', '-qam', subject);
    this.git('push', '-q', 'gitea', 'HEAD:master');
    return this.head;
  }

  /** What it answers through the router. */
  async health() {
    const host = `${org}.apps.altinn.localhost:${port}`;
    const answer = await ask('GET', `${router}/${org}/${this.name}/health`, { host });
    return answer.status === 200 ? answer.text : undefined;
  }

  async gone() {
    await askGitea('DELETE', `/repos/${org}/${this.name}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Parameters of Designer, without those that are told `undefined`. */
  parameters(more = {}) {
    const all = {
      APP_OWNER: org,
      APP_REPO: this.name,
      GITEA_ENVIRONMENT: giteaEnvironment,
      ...more,
    };
    return JSON.stringify(all);
  }
}
