/** How well a name fits what was typed. Pure; case and accents do not matter. */

/** Undefined: not at all. Every word that was typed must be there, in any order. */
export function fits(query: string, name: string): number | undefined {
  const text = folded(name);
  let total = 0;
  for (const word of folded(query).split(/\s+/)) {
    if (word === "") continue;
    const score = fitsWord(word, text);
    if (score === undefined) return undefined;
    total += score;
  }
  // Of two that fit alike the shorter one is meant.
  return total - text.length / 1000;
}

function fitsWord(word: string, text: string): number | undefined {
  const at = text.indexOf(word);
  if (at === 0) return 4;
  if (at > 0) {
    const starts = new RegExp(`(?:^|[^\\p{L}\\p{N}])${escaped(word)}`, "u").test(text);
    return starts ? 3 : 2;
  }
  return word.length >= SCATTERED_FROM ? scattered(word, text) : undefined;
}

// Two letters are somewhere in almost everything, and far enough apart so are three.
const SCATTERED_FROM = 3;
const DENSE_ENOUGH = 0.3;

/** All letters in order, but apart: the closer together, the better. Between 0 and 1. */
function scattered(word: string, text: string): number | undefined {
  let at = -1;
  let first = -1;
  for (const letter of word) {
    at = text.indexOf(letter, at + 1);
    if (at === -1) return undefined;
    if (first === -1) first = at;
  }
  const density = word.length / (at - first + 1);
  return density >= DENSE_ENOUGH ? density : undefined;
}

function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
