/** The tiers of accounts, and what they are called. */

import { catalogue, useWords } from "../i18n/words.ts";

export const TIERS = ["free", "pro", "enterprise"] as const;
export type Tier = (typeof TIERS)[number];

export const tierWords = catalogue({
  en: { free: "Free", pro: "Pro", enterprise: "Enterprise" },
  de: { free: "Frei", pro: "Pro", enterprise: "Enterprise" },
});

/** One that a newer server made up keeps its own name. */
export function useTierName(): (tier: string) => string {
  const t = useWords(tierWords);
  return (tier) => TIERS.map((known) => (known === tier ? t(known) : undefined)).find(Boolean) ?? tier;
}
