/** Where the page starts. */

// First of all styles: they say in which order the layers count.
import "./design/tokens.css";
import "./design/base.css";
import { start } from "./app.tsx";
import { refuseStrayDrops } from "./attachments/stray-drops.ts";
import { watchBack } from "./design/back.ts";
import { applyTheme } from "./design/theme.ts";
import { apply as applyLanguage } from "./i18n/language.ts";
import { startWorker } from "./worker/updates.ts";

applyTheme();
applyLanguage();
startWorker();
refuseStrayDrops();
watchBack();
start(document.getElementById("root")!);
