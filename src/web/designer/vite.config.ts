import { defineConfig } from "vitest/config";

export default defineConfig({
  // The pages stand at `/dashboard` and `/editor/…`, their assets below `/designer/`, as the real Designer's.
  base: "/designer/",
  esbuild: { jsx: "automatic" },
  build: {
    assetsDir: "assets",
    // The policy of the page allows no script within it, and fonts are files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      onwarn: (warning, warn) => {
        // Libraries mark their parts for servers that render React; there is none here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});
