/** The language of everything that the app says itself. */

import { choice, choose, LANGUAGES, useLanguage, type LanguageChoice } from "../i18n/language.ts";
import { useWords } from "../i18n/words.ts";
import { appearanceWords } from "./appearance-words.ts";
import { Select } from "./select.tsx";

export function LanguageChoice({ isCompact = false }: { readonly isCompact?: boolean }) {
  const t = useWords(appearanceWords);
  useLanguage();
  // Each in its own language: whoever needs another one than this cannot read this one.
  const languages = Object.entries(LANGUAGES) as [LanguageChoice, string][];
  return (
    <Select
      label={t("language")}
      isBare={isCompact}
      value={choice()}
      options={[
        { value: "system", label: t("systemLanguage") },
        ...languages.map(([value, label]) => ({ value, label })),
      ]}
      onChange={choose}
    />
  );
}
