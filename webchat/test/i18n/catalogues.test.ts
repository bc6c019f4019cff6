/** Every catalogue of the app: whoever reads German reads no English in between. */

import { expect, test } from "vitest";
import type { Catalogue, Entry } from "../../src/i18n/words.ts";

const modules = import.meta.glob<Record<string, unknown>>(
  ["../../src/**/*words.ts", "../../src/manage/{acts,visibility}.ts", "../../src/settings/tiers.ts"],
  { eager: true },
);
const sources = import.meta.glob<string>("../../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });

/** The same in both languages. */
const SAME = new Set("Agent Alt Android Browser Chat Chats Code Details Emoji Enterprise Esc Link Name Online Person Plan Pro Python Server System offline online".split(" "));
/** What components say without a catalogue: a name, a command, what is printed on a key. */
const NAMES = new Set(["amtrio", "amtrio invite --admin", "esc"]);

interface Said {
  readonly where: string;
  readonly en: Entry;
  readonly de: Entry;
}

const said: Said[] = Object.entries(modules).flatMap(([file, module]) =>
  Object.values(module)
    .filter(isCatalogue)
    .flatMap(({ en, de }) =>
      Object.entries(en).map(([key, entry]) => ({ where: `${file.slice("../../src/".length)}: ${key}`, en: entry, de: de[key]! })),
    ),
);

function isCatalogue(value: unknown): value is Catalogue {
  return typeof value === "object" && value !== null && "en" in value && "de" in value;
}

function texts(entry: Entry): string[] {
  return typeof entry === "string" ? [entry] : Object.values(entry);
}

function slots(entry: Entry): string[] {
  return [...new Set(texts(entry).flatMap((text) => [...text.matchAll(/\{\w+\}/g)].map(([slot]) => slot)))].toSorted();
}

function isTheSame(text: string): boolean {
  const words = text.replaceAll(/\{\w+\}/g, "").match(/\p{L}{2,}/gu) ?? [];
  return words.every((word) => SAME.has(word));
}

test("every catalogue is looked at here", () => {
  const having = Object.entries(sources).filter(([, source]) => /= catalogue\(\{/.test(source)).map(([file]) => file);
  expect(having.filter((file) => !file.endsWith("/i18n/words.ts")).toSorted()).toEqual(
    Object.entries(modules).filter(([, module]) => Object.values(module).some(isCatalogue)).map(([file]) => file).toSorted(),
  );
  expect(said.length).toBeGreaterThan(500);
});

test("nothing is left in English", () => {
  const left = said.filter(({ en, de }) => texts(de).some((text) => texts(en).includes(text) && !isTheSame(text)));
  expect(left.map(({ where, de }) => `${where}: ${texts(de).join(" / ")}`)).toEqual([]);
});

test("both languages put in the same values", () => {
  const other = said.filter(({ en, de }) => slots(en).join() !== slots(de).join());
  expect(other.map(({ where }) => where)).toEqual([]);
});

test("what differs by number does so in both languages", () => {
  expect(said.filter(({ en, de }) => typeof en !== typeof de).map(({ where }) => where)).toEqual([]);
});

test("German says du, and writes umlauts and ellipses as they are", () => {
  const odd = /(?<=[\p{Ll},] )(Sie|Ihr\p{Ll}*)\b|\.\.\.|\b(fuer|ueber|koenn|moech|waehl|loesch|pruef)/u;
  const found = said.filter(({ de }) => texts(de).some((text) => odd.test(text)));
  expect(found.map(({ where, de }) => `${where}: ${texts(de).join(" / ")}`)).toEqual([]);
});

test("no component says anything but names that is in no catalogue", () => {
  const found = Object.entries(sources).flatMap(([file, source]) => {
    if (!file.endsWith(".tsx")) return [];
    const attributes = [...source.matchAll(/\s(?:aria-label|title|placeholder|label|alt)="([^"]*\p{L}{2}[^"]*)"/gu)];
    const children = [...source.matchAll(/<\/?[A-Za-z][^<>]*>\s*(\p{L}[\p{L} ,.!?'’-]{2,})\s*<\//gu)];
    return [...attributes, ...children].filter(([, text]) => !NAMES.has(text!)).map(([, text]) => `${file}: ${text}`);
  });
  expect(found).toEqual([]);
});
