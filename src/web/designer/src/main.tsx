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
  defaultOptions: { queries: { retry, staleTime: 2_000, refetchOnWindowFocus: true } },
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
