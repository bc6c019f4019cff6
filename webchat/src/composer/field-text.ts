/** Changes to the text of a field as if they had been typed: the browser's undo knows them. */

/** The text of a field, and whoever wants to know of changes that no event tells. */
export interface Changeable {
  readonly field: HTMLTextAreaElement;
  readonly changed: (field: HTMLTextAreaElement) => void;
}

/** Replace what lies between two places; the caret goes behind it. */
export function insertText({ field, changed }: Changeable, text: string, start: number, end: number): void {
  field.focus();
  field.setSelectionRange(start, end);
  if (text === "" && start === end) return;
  // Deprecated, and the only way that keeps undo alive in all engines. It makes an input event as keys do.
  if (document.execCommand?.(text === "" ? "delete" : "insertText", false, text)) return;
  field.setRangeText(text, start, end, "end");
  changed(field);
}

/** Put a mark around the selection, or take it off. */
export function toggleMark(target: Changeable, mark: string): void {
  const { field } = target;
  const { selectionStart: start, selectionEnd: end, value } = field;
  const { text, from, to, caret } = marked(value, start, end, mark);
  insertText(target, text, from, to);
  field.setSelectionRange(...caret);
}

export interface Marked {
  /** Goes between `from` and `to`. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** The selection afterwards. */
  readonly caret: readonly [start: number, end: number];
}

export function marked(value: string, start: number, end: number, mark: string): Marked {
  const selected = value.slice(start, end);
  const isAround = endsWithMark(value.slice(0, start), mark) && startsWithMark(value.slice(end), mark);
  const size = mark.length;
  if (isAround) return { text: selected, from: start - size, to: end + size, caret: [start - size, end - size] };
  return { text: mark + selected + mark, from: start, to: end, caret: [start + size, end + size] };
}

/** `*` is no mark of its own where it is half of `**`. */
function endsWithMark(text: string, mark: string): boolean {
  return text.endsWith(mark) && (mark !== "*" || !text.endsWith("**") || text.endsWith("***"));
}

function startsWithMark(text: string, mark: string): boolean {
  return text.startsWith(mark) && (mark !== "*" || !text.startsWith("**") || text.startsWith("***"));
}
