import "@fontsource-variable/inter";
import "@digdir/designsystemet-theme/altinn.css";
import "@digdir/designsystemet-css";
import "./style.css";

import { applyScheme, LanguageProvider } from "@altinn-local/shared";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { retry } from "./parts/problems";

applyScheme();

const client = new QueryClient({
  // The server is this machine: it answers whether or not the machine has a way to elsewhere.
  defaultOptions: { queries: { networkMode: "always", retry, staleTime: 2_000, refetchOnWindowFocus: true }, mutations: { networkMode: "always" } },
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <QueryClientProvider client={client}>
          <App />
        </QueryClientProvider>
      </LanguageProvider>
    </StrictMode>,
  );
}
