/** Names and groups of all emoji, for the picker: copied beside the app, so that it asks nobody else for them. */

import { appendFile, copyFile, mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const DATA = dirname(createRequire(import.meta.url).resolve("emojibase-data/package.json"));
// As src/i18n/language.ts has them.
const LOCALES = ["en", "de"];
const FILES = ["data.json", "messages.json"];
/** Where the bundler writes down the licences of the code. */
export const LICENSES = "licenses.txt";
const PATH = /^\/emoji\/([a-z]+)\/([a-z]+\.json)$/;

/** To `emoji/LOCALE/` of a folder, and their licence to those of the code. */
export async function copyEmoji(folder: string): Promise<void> {
  for (const locale of LOCALES) {
    const target = join(folder, "emoji", locale);
    await mkdir(target, { recursive: true });
    for (const file of FILES) await copyFile(join(DATA, locale, file), join(target, file));
  }
  const license = await readFile(join(DATA, "LICENSE"), "utf8");
  await appendFile(join(folder, LICENSES), `\n## emojibase-data (MIT)\n\n${license}`);
}

/** The same for a server of developers: the file of a path, if it is one of these. */
export async function emojiAt(path: string): Promise<Buffer | undefined> {
  const [, locale = "", file = ""] = PATH.exec(path) ?? [];
  if (!LOCALES.includes(locale) || !FILES.includes(file)) return undefined;
  return readFile(join(DATA, locale, file));
}
