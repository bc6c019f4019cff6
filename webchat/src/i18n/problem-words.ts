import { catalogue } from "./words.ts";

export const problemWords = catalogue({
  en: { unreachable: "The server does not answer. Look at your connection, then try again." },
  de: { unreachable: "Der Server antwortet nicht. Prüfe deine Verbindung und versuche es noch einmal." },
});
