import { catalogue } from "../i18n/words.ts";

export const appearanceWords = catalogue({
  en: {
    theme: "Colours",
    system: "System",
    light: "Light",
    dark: "Dark",
    language: "Language",
    systemLanguage: "Like the browser",
  },
  de: {
    theme: "Farben",
    system: "System",
    light: "Hell",
    dark: "Dunkel",
    language: "Sprache",
    systemLanguage: "Wie der Browser",
  },
});
