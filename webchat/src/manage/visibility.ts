/** Who may see an agent. */

import { catalogue, useWords } from "../i18n/words.ts";

export const VISIBILITIES = ["everyone", "listed", "owner"] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export const visibilityWords = catalogue({
  en: { everyone: "Everyone", listed: "Owner and chosen people", owner: "Owner alone" },
  de: { everyone: "Alle", listed: "Besitzer und Ausgewählte", owner: "Nur der Besitzer" },
});

export function useVisibilityName(): (visibility: string) => string {
  const t = useWords(visibilityWords);
  return (visibility) => (isVisibility(visibility) ? t(visibility) : visibility);
}

function isVisibility(text: string): text is Visibility {
  return (VISIBILITIES as readonly string[]).includes(text);
}
