import { catalogue } from "../i18n/words.ts";

export const words = catalogue({
  en: { newVersion: "There is a new version.", load: "Load it" },
  de: { newVersion: "Es gibt eine neue Version.", load: "Jetzt laden" },
});
