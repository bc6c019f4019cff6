import { catalogue } from "../i18n/words.ts";

export const words = catalogue({
  en: {
    refused_changed: "The agent’s keys have changed. Look at the new safety number before you send anything.",
    refused_elsewhere: "Your account’s keys are in another browser, or were deleted when you signed out here. Take over in the settings to encrypt in this one.",
    refused_no_session: "Encryption has to be turned on again in this chat.",
    refused_no_keys: "This agent has published no keys, so nothing can be encrypted for it.",
    refused_bad_keys: "The agent’s keys are not signed by their owner. Nothing was encrypted.",
    refused_too_long: "This text is too long for one encrypted message.",
    refused_files: "Encryption was turned on after these files had been attached. Attach them again.",
    refused_unsupported: "This browser cannot encrypt. It needs HTTPS and a current version.",
    refused_removed: "The keys of this browser were deleted. Reload the page.",
    refused_file_tampered: "This file was changed on its way, or is not the one that was sent.",

    unreadable_malformed: "Encrypted by another program, in a way that this one does not know",
    unreadable_newer: "Encrypted by a newer version of this program",
    unreadable_elsewhere: "Encrypted for another device of yours",
    unreadable_unknown_session: "Encrypted with keys that this browser does not have any more",
    unreadable_lost_key: "Encrypted for a key that this browser does not have any more",
    unreadable_changed: "Encrypted with new keys that you have not accepted yet",
    unreadable_tampered: "Changed on its way, or moved here from somewhere else",
    unreadable_replayed: "A copy of an earlier message, which nobody sent again",

    title: "Encryption",
    what: "In an encrypted chat this server stores what it cannot read. You turn it on in the chat itself, if its agent has keys.",
    what_not:
      "It does not hide whom you talk with and how much, nor how many files you send and how large they are. The agent reads everything, and so does whoever it asks: an agent that uses a model on the internet shows your words and files there. Reactions, titles and tags are not encrypted.",
    here: "The keys never leave this browser. No other device of yours can read these chats, and if the browser’s data is deleted or you sign out, nobody can read them again.",

    state: "This browser",
    state_ready: "Encrypts for your account",
    state_none: "No keys yet: they are made when you first turn encryption on",
    state_elsewhere: "Does not encrypt: your account’s keys are in another browser, or were deleted when you signed out here",
    state_unsupported: "Cannot encrypt: this page needs HTTPS and a current browser",
    fingerprint: "Fingerprint of this browser",
    fingerprint_hint: "It is one half of every safety number.",
    one_time: "One-time keys left",
    loading: "Looking at the keys",

    take_over: "Encrypt in this browser",
    take_over_title: "Encrypt in this browser from now on?",
    take_over_text:
      "Your account gets the keys of this browser. Agents see that your keys have changed. The other browser still reads what it could read, but nothing new, until it takes over again. What was encrypted there cannot be read here.",
    reset: "Make new keys",
    reset_title: "Make new keys?",
    reset_text:
      "Do this if somebody else may have used this browser. Agents see that your keys have changed, and everybody who compared safety numbers has to compare again. Earlier messages can still be read here. Encryption has to be turned on again in each chat.",
    cancel: "Cancel",
    done: "Your account now encrypts with the keys of this browser.",

    copy: "Copy",
    copied: "Copied",
    copy_failed: "The browser did not allow it. Select the number and copy it.",
  },
  de: {
    refused_changed: "Die Schlüssel des Agenten sind andere. Sieh dir die neue Sicherheitsnummer an, bevor du etwas sendest.",
    refused_elsewhere: "Die Schlüssel deines Kontos sind in einem anderen Browser oder wurden beim Abmelden hier gelöscht. Übernimm in den Einstellungen, um in diesem zu verschlüsseln.",
    refused_no_session: "Die Verschlüsselung muss in diesem Chat neu eingeschaltet werden.",
    refused_no_keys: "Dieser Agent hat keine Schlüssel veröffentlicht, für ihn kann nichts verschlüsselt werden.",
    refused_bad_keys: "Die Schlüssel des Agenten sind nicht von ihrem Besitzer unterschrieben. Es wurde nichts verschlüsselt.",
    refused_too_long: "Dieser Text ist zu lang für eine verschlüsselte Nachricht.",
    refused_files: "Die Verschlüsselung wurde eingeschaltet, nachdem diese Dateien angehängt waren. Hänge sie noch einmal an.",
    refused_unsupported: "Dieser Browser kann nicht verschlüsseln. Dazu braucht es HTTPS und eine aktuelle Version.",
    refused_removed: "Die Schlüssel dieses Browsers wurden gelöscht. Lade die Seite neu.",
    refused_file_tampered: "Diese Datei wurde unterwegs verändert oder ist nicht die, die gesendet wurde.",

    unreadable_malformed: "Von einem anderen Programm verschlüsselt, auf eine Art, die dieses nicht kennt",
    unreadable_newer: "Von einer neueren Version dieses Programms verschlüsselt",
    unreadable_elsewhere: "Für ein anderes deiner Geräte verschlüsselt",
    unreadable_unknown_session: "Mit Schlüsseln verschlüsselt, die dieser Browser nicht mehr hat",
    unreadable_lost_key: "Für einen Schlüssel verschlüsselt, den dieser Browser nicht mehr hat",
    unreadable_changed: "Mit neuen Schlüsseln verschlüsselt, die du noch nicht angenommen hast",
    unreadable_tampered: "Unterwegs verändert oder von anderswo hierher gesetzt",
    unreadable_replayed: "Die Kopie einer früheren Nachricht, die niemand noch einmal gesendet hat",

    title: "Verschlüsselung",
    what: "In einem verschlüsselten Chat speichert dieser Server, was er nicht lesen kann. Eingeschaltet wird die Verschlüsselung im Chat selbst, wenn sein Agent Schlüssel hat.",
    what_not:
      "Mit wem du sprichst und wie viel, bleibt sichtbar, ebenso wie viele Dateien du sendest und wie groß sie sind. Der Agent liest alles, und wen er fragt, der auch: Ein Agent, der ein Modell im Internet benutzt, zeigt dort deine Worte und Dateien. Reaktionen, Titel und Schlagwörter werden nicht verschlüsselt.",
    here: "Die Schlüssel verlassen diesen Browser nie. Keines deiner anderen Geräte kann diese Chats lesen, und wenn die Daten des Browsers gelöscht werden oder du dich abmeldest, kann sie niemand mehr lesen.",

    state: "Dieser Browser",
    state_ready: "Verschlüsselt für dein Konto",
    state_none: "Noch keine Schlüssel: Sie entstehen, wenn du zum ersten Mal Verschlüsselung einschaltest",
    state_elsewhere: "Verschlüsselt nicht: Die Schlüssel deines Kontos sind in einem anderen Browser oder wurden beim Abmelden hier gelöscht",
    state_unsupported: "Kann nicht verschlüsseln: Diese Seite braucht HTTPS und einen aktuellen Browser",
    fingerprint: "Fingerabdruck dieses Browsers",
    fingerprint_hint: "Er ist die eine Hälfte jeder Sicherheitsnummer.",
    one_time: "Übrige Einmalschlüssel",
    loading: "Die Schlüssel werden nachgesehen",

    take_over: "In diesem Browser verschlüsseln",
    take_over_title: "Ab jetzt in diesem Browser verschlüsseln?",
    take_over_text:
      "Dein Konto bekommt die Schlüssel dieses Browsers. Agenten sehen, dass deine Schlüssel andere sind. Der andere Browser liest weiterhin, was er lesen konnte, aber nichts Neues, bis er wieder übernimmt. Was dort verschlüsselt wurde, ist hier nicht lesbar.",
    reset: "Neue Schlüssel erzeugen",
    reset_title: "Neue Schlüssel erzeugen?",
    reset_text:
      "Tu das, wenn jemand anderes diesen Browser benutzt haben könnte. Agenten sehen, dass deine Schlüssel andere sind, und wer Sicherheitsnummern verglichen hat, muss neu vergleichen. Frühere Nachrichten bleiben hier lesbar. Die Verschlüsselung muss in jedem Chat neu eingeschaltet werden.",
    cancel: "Abbrechen",
    done: "Dein Konto verschlüsselt jetzt mit den Schlüsseln dieses Browsers.",

    copy: "Kopieren",
    copied: "Kopiert",
    copy_failed: "Der Browser hat es nicht erlaubt. Markiere die Nummer und kopiere sie.",
  },
});
