/** What keys mean in the field. Knows nothing of what happens then. */

interface Press {
  readonly key: string;
  readonly keyCode: number;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly isComposing: boolean;
}

// Safari ends the composition before it tells of the key that ended it; only this old code betrays it.
const KEY_CODE_OF_IME = 229;

export function isComposing(press: Press): boolean {
  return press.isComposing || press.keyCode === KEY_CODE_OF_IME;
}

/** `other`: the way to send that is not the usual one. Undefined: a line break, or no Enter at all. */
export function enterMeans(press: Press, onTouch: boolean): "send" | "other" | undefined {
  if (press.key !== "Enter" || isComposing(press) || press.shiftKey || press.altKey) return undefined;
  if (press.ctrlKey || press.metaKey) return "other";
  return onTouch ? undefined : "send";
}

const MARKS: Readonly<Record<string, string>> = { b: "**", i: "*", e: "`" };

/** What Ctrl or Cmd with a letter puts around the selection. */
export function markOf(press: Press): string | undefined {
  if (!(press.ctrlKey || press.metaKey) || press.shiftKey || press.altKey || isComposing(press)) return undefined;
  return MARKS[press.key.toLowerCase()];
}

/** This key and no other: with Alt and so on it is a shortcut of something else. */
export function isBare(press: Press, key: string): boolean {
  return press.key === key && !press.shiftKey && !press.altKey && !press.ctrlKey && !press.metaKey && !isComposing(press);
}

/** Whether fingers are the main way to point here. */
export function isTouch(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}
