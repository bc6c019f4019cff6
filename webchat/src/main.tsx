/** Where the page starts. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./design/tokens.css";
import "./design/base.css";
import { applyTheme } from "./design/theme.ts";
import { apply as applyLanguage } from "./i18n/language.ts";
import { startWorker } from "./worker/updates.ts";

applyTheme();
applyLanguage();
startWorker();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
