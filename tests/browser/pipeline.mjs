// A pipeline that builds nothing: the build API of Azure DevOps as Designer calls it, the list of environments, and the
// word of a cluster. What it is given it checks: the commit is fetched from Gitea with the token that came along.

import { createServer } from "node:http";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const BUILD = 683;
const DEPLOY = 618;
const pause = (time) => new Promise((done) => setTimeout(done, time));

/** Listens; `hooked` is where Designer hears of builds, and of the cluster by who has the `token`. */
export async function pipeline({ port, hooked, hostname, token }) {
  const builds = new Map();
  const running = new Map();
  let last = 4000;

  const tell = (build, path) =>
    fetch(`${hooked}/designer/api/v1/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ resource: { buildNumber: String(build.id), resourceOwner: build.parameters.APP_OWNER } }),
    });

  /** What the cluster's gateway tells when a change there is done. */
  const tellEvent = (build, eventType, message) =>
    fetch(`${hooked}/designer/api/v1/${build.parameters.APP_OWNER}/${build.parameters.APP_REPO}/deployments/webhooks/events`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ buildId: String(build.id), message, timestamp: new Date().toISOString(), eventType, environment: build.parameters.APP_ENVIRONMENT }),
    });

  /** Each step has a log of its own. */
  const say = (build, line) => build.logs.at(-1).push(`${new Date().toISOString()} ${line}`);

  async function step(build, name, work) {
    const record = { id: name, type: "Task", name, state: "inProgress", result: null, order: build.records.length + 1, startTime: new Date().toISOString(), finishTime: null };
    build.records.push(record);
    build.logs.push([]);
    say(build, `##[section]Starting: ${name}`);
    try {
      await work();
      record.result = "succeeded";
    } catch (error) {
      record.result = "failed";
      say(build, `##[error]${error.message}`);
      throw error;
    } finally {
      record.state = "completed";
      record.finishTime = new Date().toISOString();
    }
  }

  /** Fetches exactly the commit, and tells of one file in it. */
  async function checkOut(build) {
    const { APP_OWNER, APP_REPO, APP_COMMIT_ID, APP_DEPLOY_TOKEN, GITEA_ENVIRONMENT } = build.parameters;
    const folder = await mkdtemp(join(tmpdir(), "pipeline-"));
    const url = `http://x:${APP_DEPLOY_TOKEN}@${GITEA_ENVIRONMENT.replace("studio.localhost", "127.0.0.1")}/${APP_OWNER}/${APP_REPO}.git`;
    const git = (...words) =>
      promisify(execFile)("git", ["-C", folder, ...words]).catch(() => {
        throw new Error(`git ${words[0]} failed`);
      });
    try {
      await git("init", "--quiet");
      await git("fetch", "--quiet", "--depth=1", url, APP_COMMIT_ID);
      say(build, `HEAD is now at ${APP_COMMIT_ID.slice(0, 8)}`);
      build.texts = (await git("show", `${APP_COMMIT_ID}:App/config/texts/resource.nb.json`)).stdout;
      const { stdout } = await git("ls-tree", "-r", "--name-only", APP_COMMIT_ID);
      build.broken = stdout.includes("App/Broken.cs");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function run(build) {
    const { parameters, definition } = build;
    const path = definition === BUILD ? "checkreleasebuildstatus" : "checkdeploymentbuildstatus";
    await pause(200);
    build.status = "inProgress";
    await tell(build, path);
    try {
      if (definition === BUILD) {
        await step(build, "Clone", () => checkOut(build));
        await step(build, "Build image", async () => {
          say(build, "##[warning]The base image is old.");
          if (build.broken) {
            // As BuildKit tells what the compiler said, and MSBuild says again at its end.
            for (const time of ["3.271", "3.415"]) say(build, `#9 ${time} /src/App/Broken.cs(3,9): error CS1002: ; expected [/src/App/App.csproj]`);
            throw new Error("docker build failed");
          }
          for (let number = 1; number <= 8; number += 1) {
            say(build, `#${number} [build ${number}/8] RUN dotnet publish`);
            await pause(250);
          }
        });
        await step(build, "Push image", () => pause(200));
      } else {
        await step(build, "Helm", () => pause(600));
        await step(build, "Rollout", async () => {
          await pause(600);
          const key = `${parameters.APP_OWNER}/${parameters.APP_ENVIRONMENT}/${parameters.APP_OWNER}-${parameters.APP_REPO}`;
          if (parameters.TAGNAME) running.set(key, parameters.TAGNAME);
          else running.delete(key);
        });
        const [type, words] = parameters.TAGNAME ? ["InstallSucceeded", `Helm install succeeded for release ${parameters.APP_REPO}`] : ["UninstallSucceeded", "Helm uninstall succeeded"];
        await tellEvent(build, type, words);
      }
      build.result = "succeeded";
    } catch {
      build.result = "failed";
    }
    say(build, `##[section]Finishing: ${build.result}`);
    build.status = "completed";
    build.finishTime = new Date().toISOString();
    await tell(build, path);
  }

  const shown = ({ id, status, result, startTime, finishTime }) => ({ id, status, result, startTime, finishTime });

  function queue(body) {
    const { definition, parameters } = JSON.parse(body);
    if (![BUILD, DEPLOY].includes(definition?.id)) return [400, { message: "unknown definition" }];
    last += 1;
    const build = { id: last, definition: definition.id, parameters: JSON.parse(parameters), status: "notStarted", startTime: new Date().toISOString(), logs: [[]], records: [] };
    builds.set(last, build);
    void run(build);
    return [200, shown(build)];
  }

  function answer(method, path, body) {
    if (path === "/environments.json") {
      const entry = (name, host) => ({ name, hostname: host, appPrefix: "apps", platformPrefix: "platform", platformUrl: `http://platform.${host}`, appsUrl: `http://apps.${host}`, type: name === "local" ? "production" : "test" });
      return [200, { environments: [entry("local", hostname), entry("tt02", `tt02.${hostname}`)] }];
    }
    const cluster = /^\/apps\/(\w+)\/(\w+)\/kuberneteswrapper\/api\/v1\/deployments\?labelSelector=release=(.+)$/.exec(path);
    if (cluster) {
      const [, org, env, release] = cluster;
      const version = running.get(`${org}/${env}/${release}`);
      return [200, version ? [{ release, version }] : []];
    }
    if (method === "POST" && path.startsWith("/_apis/build/builds?")) return queue(body);
    const [, id, rest = ""] = /^\/_apis\/build\/builds\/(\d+)([^?]*)/.exec(path) ?? [];
    const build = builds.get(Number(id));
    if (!build) return [404, { message: `build ${id} was not found`, typeKey: "BuildNotFoundException" }];
    if (rest === "/logs") return [200, { count: build.logs.length, value: build.logs.map((lines, index) => ({ id: index + 1, lineCount: lines.length })) }];
    const lines = build.logs[Number(/^\/logs\/(\d+)$/.exec(rest)?.[1]) - 1];
    if (lines) return [200, { count: lines.length, value: lines }];
    if (rest === "/timeline") return [200, { records: build.records }];
    return [200, shown(build)];
  }

  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const [status, told] = answer(request.method, request.url, body);
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(told));
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return { builds, tellEvent, close: () => server.close(), url: `http://127.0.0.1:${server.address().port}` };
}
