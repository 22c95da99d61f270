// What the pages ask of Designer's service; the shapes are those of its OpenAPI document.

import { get, send } from "@altinn-local/shared";

export interface User {
  login: string;
  full_name: string;
  email: string;
}

export interface App {
  org: string;
  app: string;
  description: string;
  updated: string;
  mayChange: boolean;
  url: string;
}

export interface Owner {
  name: string;
  fullName: string;
}

export interface Listed {
  path: string;
  size: number;
}

export interface Contents extends Listed {
  etag: string;
  text: string | null;
}

export interface Change {
  filePath: string;
  fileStatus: "added" | "modified" | "deleted" | "conflict";
  /** Of a conflict: whether somebody has resolved it. */
  resolved: boolean;
}

export interface CopyState {
  branch: string;
  commit: string | null;
  published: boolean;
  aheadBy: number;
  behindBy: number;
  merging: boolean;
  changes: Change[];
}

export interface Line {
  kind: " " | "+" | "-" | "@";
  text: string;
  old: number | null;
  new: number | null;
}

export interface Diff {
  binary: boolean;
  cut: boolean;
  lines: Line[];
}

export interface Commit {
  sha: string;
  message: string;
  author: string;
  date: string | null;
  pushed: boolean;
}

export interface Branches {
  current: string;
  names: string[];
}

export interface Build {
  id: string;
  status: "none" | "cancelling" | "completed" | "inProgress" | "notStarted" | "postponed";
  result: "none" | "canceled" | "failed" | "partiallySucceeded" | "succeeded";
  started: string | null;
  finished: string | null;
}

export interface Release {
  id: number;
  tagName: string;
  name: string;
  body: string;
  targetCommitish: string;
  created: string;
  createdBy: string;
  build: Build;
}

export interface Deployment {
  id: number;
  tagName: string | null;
  envName: string;
  deploymentType: "Deploy" | "Decommission";
  created: string;
  createdBy: string;
  build: Build;
  /** What the cluster told. */
  events: Event[];
}

export interface Event {
  message: string;
  timestamp: string;
  eventType: `${"Install" | "Upgrade" | "Uninstall"}${"Succeeded" | "Failed"}`;
}

export interface Running {
  envName: string;
  release: string;
  version: string;
  url: string;
}

export interface Deployments {
  pipelineDeploymentList: Deployment[];
  kubernetesDeploymentList: Running[];
}

export interface Target {
  name: string;
  hostname: string;
  type: string;
  appUrl: string;
}

export interface Step {
  name: string;
  state: string;
  result: string | null;
  started: string | null;
  finished: string | null;
}

export interface Told {
  build: Build;
  steps: Step[];
  lines: string[];
  next: number;
}

/** An app's names. */
export interface Id {
  org: string;
  app: string;
}

const V1 = "/designer/api/v1";
const of = ({ org, app }: Id) => `${V1}/apps/${org}/${app}`;
const contract = ({ org, app }: Id) => `/designer/api/${org}/${app}`;
const query = (path: string) => `path=${encodeURIComponent(path)}`;

export const me = () => get<User>("/designer/api/user/current");
export const signOut = () => send("POST", "/logout");
export const owners = () => get<Owner[]>(`${V1}/owners`);
export const apps = (words: string, signal?: AbortSignal) =>
  get<App[]>(`${V1}/apps?query=${encodeURIComponent(words)}`, signal);
export const createApp = (id: Id) => send<App>("POST", `${V1}/apps`, id);
export const app = (id: Id) => get<App>(of(id));
export const files = (id: Id) => get<Listed[]>(`${of(id)}/files`);
export const filePath = (id: Id, path: string) => `${of(id)}/file?${query(path)}`;
export const rawPath = (id: Id, path: string) => `${of(id)}/raw?${query(path)}`;
export const move = (id: Id, from: string, to: string) => send("POST", `${of(id)}/move`, { from, to });
export const status = (id: Id, fetch = false) =>
  get<CopyState>(`${of(id)}/status${fetch ? "?fetch=true" : ""}`);
export const diff = (id: Id, path: string) => get<Diff>(`${of(id)}/diff?${query(path)}`);
export const commits = (id: Id) => get<Commit[]>(`${of(id)}/commits`);
export const commit = (id: Id, message: string) =>
  send<CopyState>("POST", `${of(id)}/commits`, { message });
export const push = (id: Id) => send<CopyState>("POST", `${of(id)}/push`);
export const pull = (id: Id) => send<CopyState>("POST", `${of(id)}/pull`);
export const discard = (id: Id, path?: string) =>
  send<CopyState>("POST", `${of(id)}/discard`, { path });
export const resolve = (id: Id, path: string, take: "mine" | "theirs") =>
  send("POST", `${of(id)}/resolve`, { path, take });
export const abort = (id: Id) => send<CopyState>("POST", `${of(id)}/abort`);
export const branches = (id: Id) => get<Branches>(`${of(id)}/branches`);
export const goToBranch = (id: Id, name: string, create: boolean) =>
  send<CopyState>("PUT", `${of(id)}/branch`, { name, create });
export const releases = async (id: Id) =>
  (await get<{ results: Release[] }>(`${contract(id)}/releases`)).results;
export const createRelease = (id: Id, tagName: string, targetCommitish: string, body: string) =>
  send<Release>("POST", `${contract(id)}/releases`, { tagName, name: tagName, body, targetCommitish });
export const deployments = (id: Id) => get<Deployments>(`${contract(id)}/deployments`);
export const permissions = (id: Id) => get<string[]>(`${contract(id)}/deployments/permissions`);
export const targets = (id: Id) => get<Target[]>(`${of(id)}/environments`);
export const deploy = (id: Id, envName: string, tagName: string) =>
  send<Deployment>("POST", `${contract(id)}/deployments`, { envName, tagName });
export const undeploy = (id: Id, environment: string) =>
  send<Deployment>("POST", `${contract(id)}/deployments/undeploy`, { environment });
export const log = (id: Id, build: string, from: number) =>
  get<Told>(`${of(id)}/builds/${build}/log?from=${from}`);
export const cancelBuild = (id: Id, build: string) =>
  send<Build>("POST", `${of(id)}/builds/${build}/cancel`);
