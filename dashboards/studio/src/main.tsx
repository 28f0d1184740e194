/** Puts the studio together: one API client, one cache, one tree. */

import "./parts/ground.css";
import "./parts/controls.css";
import { StaffApi } from "@simulcast/api";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiContext } from "./api";
import { App } from "./app";
import { makeCache } from "./cache";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ApiContext value={new StaffApi()}>
        <QueryClientProvider client={makeCache()}>
          <App />
        </QueryClientProvider>
      </ApiContext>
    </StrictMode>,
  );
}
