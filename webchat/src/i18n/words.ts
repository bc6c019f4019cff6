/**
 * What is said, in every language: each feature has a catalogue of its own beside it (`words.ts`).
 *
 *     export const words = catalogue({
 *       en: { send: "Send", unread: { one: "{n} unread message", other: "{n} unread messages" } },
 *       de: { send: "Senden", unread: { one: "{n} ungelesene Nachricht", other: "{n} ungelesene Nachrichten" } },
 *     });
 *     const t = useWords(words);   t("unread", { n: 3 })
 *
 * The compiler refuses a catalogue in which a language lacks a word, and a word that no catalogue has.
 */

import { language, useLanguage, type Language } from "./language.ts";

/** By plural category (CLDR); `n` chooses. */
export type Plural = { readonly other: string } & { readonly [Category in Intl.LDMLPluralRule]?: string };
export type Entry = string | Plural;
type Entries = Readonly<Record<string, Entry>>;
export type Catalogue<Key extends string = string> = { readonly [L in Language]: Readonly<Record<Key, Entry>> };
export type Values = Readonly<Record<string, string | number>>;
export type Say<Key extends string> = (key: Key, values?: Values) => string;

export function catalogue<const En extends Entries>(words: {
  readonly en: En;
  readonly de: { readonly [Key in keyof En]: Entry };
}): Catalogue<keyof En & string> {
  return words as Catalogue<keyof En & string>;
}

/** Inside components: they are drawn anew when the language changes. */
export function useWords<Key extends string>(words: Catalogue<Key>): Say<Key> {
  const shown = useLanguage();
  return (key, values) => say(words, shown, key, values);
}

/** Outside components: in the language of this moment. */
export function sayNow<Key extends string>(words: Catalogue<Key>, key: Key, values?: Values): string {
  return say(words, language(), key, values);
}

function say<Key extends string>(words: Catalogue<Key>, shown: Language, key: Key, values: Values = {}): string {
  const entry: Entry = words[shown][key];
  const text = typeof entry === "string" ? entry : plural(entry, shown, Number(values["n"]));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === "number" ? number(shown, value) : (value ?? whole);
  });
}

const plurals = new Map<Language, Intl.PluralRules>();
const numbers = new Map<Language, Intl.NumberFormat>();

function plural(entry: Plural, shown: Language, n: number): string {
  const rules = plurals.get(shown) ?? new Intl.PluralRules(shown);
  plurals.set(shown, rules);
  return entry[rules.select(n)] ?? entry.other;
}

function number(shown: Language, value: number): string {
  const format = numbers.get(shown) ?? new Intl.NumberFormat(shown);
  numbers.set(shown, format);
  return format.format(value);
}
