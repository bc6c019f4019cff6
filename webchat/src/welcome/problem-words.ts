import { catalogue } from "../i18n/words.ts";

export const problemWords = catalogue({
  en: {
    wait: { one: "That was too often. Try again in one second.", other: "That was too often. Try again in {n} seconds." },
    unauthorized: "You are no longer signed in.",
    forbidden: "You may not do this.",
    notFound: "This is no longer there.",
    trouble: "The server has trouble at the moment. Try again soon.",
  },
  de: {
    wait: {
      one: "Das war zu oft. Versuche es in einer Sekunde noch einmal.",
      other: "Das war zu oft. Versuche es in {n} Sekunden noch einmal.",
    },
    unauthorized: "Du bist nicht mehr angemeldet.",
    forbidden: "Das darfst du nicht.",
    notFound: "Das gibt es nicht mehr.",
    trouble: "Der Server hat gerade Schwierigkeiten. Versuche es gleich noch einmal.",
  },
});
