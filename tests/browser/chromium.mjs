// A browser that asks nobody outside this machine, whatever a page or the browser itself wants.

import { chromium } from "playwright-core";

/** Starts one, without a window. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost",
    ],
  });

/** Goes somewhere, or loads a page anew; a network that comes or goes on this machine cuts what is about to load. */
export async function arrive(go) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await go();
    } catch (error) {
      if (tries === 3 || !String(error).includes("ERR_NETWORK_CHANGED")) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}
