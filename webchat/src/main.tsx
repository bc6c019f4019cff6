/** Where the page starts. */

import { start } from "./app.tsx";
import "./design/tokens.css";
import "./design/base.css";
import { applyTheme } from "./design/theme.ts";
import { apply as applyLanguage } from "./i18n/language.ts";
import { startWorker } from "./worker/updates.ts";

applyTheme();
applyLanguage();
startWorker();
start(document.getElementById("root")!);
