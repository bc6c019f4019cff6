/** Named characters that people and models write in Markdown. Numbered ones marked has resolved before. */

const NAMED: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00A0", copy: "©", reg: "®", trade: "™", hellip: "…",
  mdash: "—", ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•",
  middot: "·", times: "×", divide: "÷", plusmn: "±", deg: "°", micro: "µ", euro: "€", pound: "£", yen: "¥", cent: "¢",
  sect: "§", para: "¶", le: "≤", ge: "≥", ne: "≠", asymp: "≈", infin: "∞", larr: "←", rarr: "→", uarr: "↑", darr: "↓",
  harr: "↔", rArr: "⇒", hArr: "⇔", check: "✓", cross: "✗", half: "½", frac12: "½", frac14: "¼", frac34: "¾",
  auml: "ä", ouml: "ö", uuml: "ü", Auml: "Ä", Ouml: "Ö", Uuml: "Ü", szlig: "ß", eacute: "é", egrave: "è", zwj: "\u200D",
};

export function withoutEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(\w+);/g, (whole, name: string) => (Object.hasOwn(NAMED, name) ? NAMED[name]! : whole));
}
