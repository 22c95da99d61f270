import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig(({ command }) => ({
  // `altinn-local up` serves this project at the app's own address, below this path; by itself it is at the root.
  base: command === "serve" ? (process.env["ALTINN_LOCAL_WIDGET_BASE"] ?? "/") : "./",
  plugins: [react()],
  server: {
    // Pages reach this server through the router, at their own address: nobody needs it from elsewhere. `hmr` names no
    // host and no port, so the browser opens the socket to where it got the script from, which is the router again.
    cors: false,
    fs: { allow: ["."] },
  },
  optimizeDeps: {
    // There is no page of ours to look for imports in; a package found later would cost a reload.
    entries: ["src/main.ts", "src/story.tsx"],
    include: ["react", "react-dom/client", "react/jsx-runtime", "react/jsx-dev-runtime"],
  },
  build: {
    // One module and one style sheet, named by what they hold. `altinn-local widget build` reads the manifest.
    manifest: true,
    modulePreload: false,
    assetsInlineLimit: () => true,
    target: "es2022",
    rollupOptions: {
      input: "src/main.ts",
      output: {
        inlineDynamicImports: true,
        hashCharacters: "hex",
        entryFileNames: "__NAME__-[hash].js",
        assetFileNames: "__NAME__-[hash][extname]",
      },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
}));
