import { catalogue } from "./words.ts";

export const problemWords = catalogue({
  en: {
    unreachable: "The server does not answer. Look at your connection, then try again.",
    nothingKept:
      "This browser lets the page keep nothing on this device, and the chat cannot run without that. Perhaps this is a private window, or site data is blocked: use a normal window or allow site data, then sign in.",
  },
  de: {
    unreachable: "Der Server antwortet nicht. Prüfe deine Verbindung und versuche es noch einmal.",
    nothingKept:
      "Dieser Browser lässt die Seite nichts auf diesem Gerät speichern, und ohne das läuft der Chat nicht. Vielleicht ist dies ein privates Fenster, oder Websitedaten sind blockiert: Nimm ein normales Fenster oder lass Websitedaten zu und melde dich dann an.",
  },
});
