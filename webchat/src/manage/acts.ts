/** What is recorded when somebody administers the server, in words. */

import { catalogue, useWords } from "../i18n/words.ts";

export const actWords = catalogue({
  en: {
    "account.erased": "Account erased by its owner",
    "agent.added": "Agent made",
    "agent.changed": "Agent changed",
    "agent.removed": "Agent deleted",
    "agent.revoked": "Agent's credential revoked",
    "agent.rotated": "Agent's credential renewed",
    "invitation.made": "Invitation made",
    "invitation.revoked": "Invitation taken back",
    "invitation.used": "Invitation used",
    "server.gc": "Memory tidied up",
    "setting.changed": "Setting changed",
    "user.added": "Account made",
    "user.demoted": "No longer administrator",
    "user.password": "Password reset",
    "user.promoted": "Made administrator",
    "user.removed": "Account deleted",
    "user.signed_out": "Signed out",
    "user.tier": "Tier changed",
  },
  de: {
    "account.erased": "Konto von selbst gelöscht",
    "agent.added": "Agent angelegt",
    "agent.changed": "Agent geändert",
    "agent.removed": "Agent gelöscht",
    "agent.revoked": "Zugangsschlüssel entzogen",
    "agent.rotated": "Zugangsschlüssel erneuert",
    "invitation.made": "Einladung erstellt",
    "invitation.revoked": "Einladung zurückgezogen",
    "invitation.used": "Einladung benutzt",
    "server.gc": "Speicher aufgeräumt",
    "setting.changed": "Einstellung geändert",
    "user.added": "Konto angelegt",
    "user.demoted": "Verwaltungsrecht entzogen",
    "user.password": "Passwort zurückgesetzt",
    "user.promoted": "Verwaltungsrecht gegeben",
    "user.removed": "Konto gelöscht",
    "user.signed_out": "Abgemeldet",
    "user.tier": "Stufe geändert",
  },
});

export const ACTS = Object.keys(actWords.en) as (keyof (typeof actWords)["en"])[];

/** One that a newer server records keeps its own word. */
export function useActName(): (action: string) => string {
  const t = useWords(actWords);
  return (action) => ACTS.map((known) => (known === action ? t(known) : undefined)).find(Boolean) ?? action;
}
