import { catalogue } from "../i18n/words.ts";

export const words = catalogue({
  en: { close: "Close", dismiss: "Dismiss", notices: "Notices", busy: "Loading" },
  de: { close: "Schließen", dismiss: "Ausblenden", notices: "Hinweise", busy: "Wird geladen" },
});
