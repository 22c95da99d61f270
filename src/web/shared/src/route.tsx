// Addresses within the pages, kept in the browser's history.

import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const heard = new Set<() => void>();
let guard: (() => Promise<unknown>) | undefined;

const tell = () => {
  for (const hear of heard) hear();
};

/** What must be done before the page goes elsewhere, as saving. */
export function beforeLeaving(work: () => Promise<unknown>) {
  guard = work;
}

/** Goes to an address of these pages. */
export function go(to: string, replace = false) {
  void Promise.resolve(guard?.()).finally(() => {
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    if (!replace) scrollTo(0, 0);
    tell();
  });
}

function listen(hear: () => void) {
  heard.add(hear);
  addEventListener("popstate", hear);
  return () => {
    heard.delete(hear);
    removeEventListener("popstate", hear);
  };
}

/** The parts of the path and the query. */
export function useRoute() {
  const href = useSyncExternalStore(listen, () => location.pathname + location.search);
  const url = new URL(href, location.origin);
  const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, query: url.searchParams };
}

/** A link that stays in these pages; new tabs and the like are the browser's. */
export function Go({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}
