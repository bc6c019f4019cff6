import { catalogue } from "../i18n/words.ts";

export const frameWords = catalogue({
  en: {
    toChats: "Back to the chats",
    backTo: "Back to: {title}",
    cancel: "Cancel",
    typeName: "To be sure, type {name}",
    typedWrong: "This is not {name}.",
    tryAgain: "Try again",
    more: "Show more",
    loading: "Loading",
  },
  de: {
    toChats: "Zurück zu den Chats",
    backTo: "Zurück zu: {title}",
    cancel: "Abbrechen",
    typeName: "Zur Sicherheit: Tippe {name}",
    typedWrong: "Das ist nicht {name}.",
    tryAgain: "Noch einmal",
    more: "Mehr anzeigen",
    loading: "Wird geladen",
  },
});
