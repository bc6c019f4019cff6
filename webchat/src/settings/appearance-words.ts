import { catalogue } from "../i18n/words.ts";

export const appearanceWords = catalogue({
  en: {
    theme: "Colours",
    system: "Like the system",
    light: "Light",
    dark: "Dark",
    language: "Language",
    systemLanguage: "Like the browser",
  },
  de: {
    theme: "Farben",
    system: "Wie das System",
    light: "Hell",
    dark: "Dunkel",
    language: "Sprache",
    systemLanguage: "Wie der Browser",
  },
});
