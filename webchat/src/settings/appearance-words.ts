import { catalogue } from "../i18n/words.ts";

export const appearanceWords = catalogue({
  en: {
    theme: "Colours",
    system: "System",
    light: "Light",
    dark: "Dark",
    language: "Language",
    systemLanguage: "Same as browser",
    hold: "Stay at the beginning of long answers",
    holdHint: "The list stops once your question has reached the top, so that you can read while the answer grows.",
  },
  de: {
    theme: "Farben",
    system: "System",
    light: "Hell",
    dark: "Dunkel",
    language: "Sprache",
    systemLanguage: "Wie im Browser",
    hold: "Am Anfang langer Antworten bleiben",
    holdHint: "Die Liste hält an, sobald deine Frage oben angekommen ist. So kannst du lesen, während die Antwort wächst.",
  },
});
