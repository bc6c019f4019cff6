/**
 * Unicode code points in texts that JavaScript counts in UTF-16 units.
 *
 * All offsets, lengths and matches of the protocol count code points.
 */

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** How many code points a text has. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at += 1) {
    if (isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1))) {
      count -= 1;
      at += 1;
    }
  }
  return count;
}

/** The UTF-16 index behind `points` code points, counted from the UTF-16 index `from`; at most the text's end. */
export function indexOfCodePoint(text: string, points: number, from = 0): number {
  let at = from;
  for (let left = points; left > 0 && at < text.length; left -= 1) {
    at += at + 1 < text.length && isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1)) ? 2 : 1;
  }
  return Math.min(at, text.length);
}

/** The part of a text between two code points, the second one left out. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  const from = indexOfCodePoint(text, start);
  return text.slice(from, indexOfCodePoint(text, end - start, from));
}
