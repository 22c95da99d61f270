// Stands in for Altinn's own app frontend: the same entry, and the same way to everything else from there.
const LOADER = `(function () {
  const { origin } = new URL(document.currentScript.src);
  import(origin + "/@vite/client").then(() => import(origin + "/src/index.js"));
})();`;

export default {
  server: { host: "localhost", port: 8080, strictPort: true },
  plugins: [
    {
      name: "entry",
      configureServer({ middlewares }) {
        middlewares.use(({ url }, answer, next) => {
          const type = { "/altinn-app-frontend.js": "text/javascript", "/altinn-app-frontend.css": "text/css" }[url];
          if (!type) return next();
          answer.setHeader("Content-Type", type);
          answer.end(type === "text/css" ? "" : LOADER);
        });
      },
    },
  ],
};
