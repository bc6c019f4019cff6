import { catalogue } from "../i18n/words.ts";

export const words = catalogue({
  en: {
    code: "Code",
    codeIn: "Code, {language}",
    copy: "Copy",
    copied: "Copied",
    notCopied: "Could not copy",
    wrap: "Wrap long lines",
    showAll: { one: "Show all ({n} line)", other: "Show all ({n} lines)" },
    showLess: "Show less",
    table: "Table",
    done: "Done",
    open: "Not done",
    image: "Image",
  },
  de: {
    code: "Code",
    codeIn: "Code, {language}",
    copy: "Kopieren",
    copied: "Kopiert",
    notCopied: "Kopieren ging nicht",
    wrap: "Lange Zeilen umbrechen",
    showAll: { one: "Alles zeigen ({n} Zeile)", other: "Alles zeigen ({n} Zeilen)" },
    showLess: "Weniger zeigen",
    table: "Tabelle",
    done: "Erledigt",
    open: "Offen",
    image: "Bild",
  },
});
