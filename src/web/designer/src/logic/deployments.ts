// What deployments tell beside their builds.

import type { Deployment, Event } from "../api";

/** The cluster's last word on a deployment. */
export const lastEvent = ({ events }: Deployment): Event | undefined =>
  events.reduce<Event | undefined>((last, event) => (last && Date.parse(last.timestamp) > Date.parse(event.timestamp) ? last : event), undefined);

/** Whether an event says that something went wrong. */
export const hasFailed = (event: Event | undefined): boolean => event?.eventType.endsWith("Failed") ?? false;

/** Deployments by environment, in the order of `known`; those whose environment is gone come last. */
export function byEnvironment(all: Deployment[], known: string[]): [string, Deployment[]][] {
  const names = [...new Set([...known, ...all.map((one) => one.envName)])];
  const groups = names.map((name): [string, Deployment[]] => [name, all.filter((one) => one.envName === name)]);
  return groups.filter(([, own]) => own.length > 0);
}
