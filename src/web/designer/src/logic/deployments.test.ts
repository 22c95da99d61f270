import { expect, test } from "vitest";

import type { Deployment, Event } from "../api";
import { byEnvironment, hasFailed, lastEvent } from "./deployments";

const event = (eventType: Event["eventType"], minute: number): Event => ({ eventType, message: "", timestamp: `2026-01-01T00:0${minute}:00Z` });
const deployment = (id: number, envName: string, events: Event[] = []) => ({ id, envName, events }) as Deployment;

test("the cluster's last word counts, in whatever order it came", () => {
  const failed = event("UpgradeFailed", 1);
  const done = event("UpgradeSucceeded", 2);
  expect(lastEvent(deployment(1, "a"))).toBeUndefined();
  expect(hasFailed(undefined)).toBe(false);
  expect(hasFailed(lastEvent(deployment(1, "a", [done, failed])))).toBe(false);
  expect(hasFailed(lastEvent(deployment(1, "a", [failed])))).toBe(true);
});

test("deployments stand by environment", () => {
  const all = [deployment(3, "tt02"), deployment(2, "gone"), deployment(1, "local")];
  expect(byEnvironment(all, ["local", "yt01", "tt02"]).map(([name, own]) => [name, own.map(({ id }) => id)])).toEqual([
    ["local", [1]],
    ["tt02", [3]],
    ["gone", [2]],
  ]);
});
