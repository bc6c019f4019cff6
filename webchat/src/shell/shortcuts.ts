/**
 * Every shortcut, in one table: what the keyboard does and what the dialog under `?` tells are the same list.
 *
 * Part of the first chunk: a shortcut that comes with what it opens would miss the keys pressed before.
 */

import type { DialogWord } from "./dialog-words.ts";

/** `mod` is Ctrl, on Apple's machines Cmd. Shift counts with letters and named keys only: `?` is where the layout has it. */
export interface Chord {
  readonly mod?: true;
  readonly alt?: true;
  readonly shift?: true;
  readonly key: string;
}

export type Command =
  | "palette"
  | "find"
  | "new-chat"
  | "next-chat"
  | "previous-chat"
  | "next-unread"
  | "previous-unread"
  | "settings"
  | "shortcuts"
  | "close";

export type ShortcutGroup = "moving" | "writing" | "reading";

export interface Shortcut {
  readonly group: ShortcutGroup;
  readonly label: DialogWord;
  readonly chords: readonly Chord[];
  /** Absent: another part of the app listens, and it is only told here. */
  readonly command?: Command;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { group: "moving", label: "shortcutPalette", command: "palette", chords: [{ mod: true, key: "k" }] },
  {
    group: "moving",
    label: "shortcutFind",
    command: "find",
    chords: [{ key: "/" }, { mod: true, shift: true, key: "f" }],
  },
  { group: "moving", label: "shortcutNextChat", command: "next-chat", chords: [{ alt: true, key: "ArrowDown" }] },
  { group: "moving", label: "shortcutPreviousChat", command: "previous-chat", chords: [{ alt: true, key: "ArrowUp" }] },
  {
    group: "moving",
    label: "shortcutNextUnread",
    command: "next-unread",
    chords: [{ alt: true, shift: true, key: "ArrowDown" }],
  },
  {
    group: "moving",
    label: "shortcutPreviousUnread",
    command: "previous-unread",
    chords: [{ alt: true, shift: true, key: "ArrowUp" }],
  },
  { group: "moving", label: "shortcutNewChat", command: "new-chat", chords: [{ alt: true, key: "n" }] },
  { group: "moving", label: "shortcutSettings", command: "settings", chords: [{ mod: true, key: "," }] },
  { group: "moving", label: "shortcutShortcuts", command: "shortcuts", chords: [{ key: "?" }] },
  { group: "moving", label: "shortcutClose", command: "close", chords: [{ key: "Escape" }] },
  { group: "writing", label: "shortcutSend", chords: [{ key: "Enter" }] },
  { group: "writing", label: "shortcutNewLine", chords: [{ shift: true, key: "Enter" }] },
  { group: "writing", label: "shortcutEditLast", chords: [{ key: "ArrowUp" }] },
  { group: "writing", label: "shortcutStop", chords: [{ key: "Escape" }] },
  { group: "reading", label: "shortcutWalk", chords: [{ key: "ArrowUp" }, { key: "ArrowDown" }] },
  { group: "reading", label: "shortcutLatest", chords: [{ key: "End" }] },
  { group: "reading", label: "shortcutMenu", chords: [{ shift: true, key: "F10" }] },
];

/** The command of a key press; undefined if it is none, or belongs to what is being typed. */
export function commandOf(event: KeyboardEvent, isApple = IS_APPLE): Command | undefined {
  if (event.isComposing || event.defaultPrevented || isAltGraph(event, isApple)) return undefined;
  for (const { command, chords } of SHORTCUTS) {
    if (command === undefined) continue;
    for (const chord of chords) {
      if (!matches(event, chord, isApple)) continue;
      const isPlain = chord.mod === undefined && chord.alt === undefined;
      if (isPlain && isTyping(event.target) && !(command === "close" && isEmptySearch(event.target))) return undefined;
      return command;
    }
  }
  return undefined;
}

export const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

function matches(event: KeyboardEvent, chord: Chord, isApple: boolean): boolean {
  const mod = isApple ? event.metaKey : event.ctrlKey;
  const other = isApple ? event.ctrlKey : event.metaKey;
  if (other || mod !== (chord.mod ?? false) || event.altKey !== (chord.alt ?? false)) return false;
  const isSign = chord.key.length === 1 && chord.key.toLowerCase() === chord.key.toUpperCase();
  if (!isSign && event.shiftKey !== (chord.shift ?? false)) return false;
  return event.key.toLowerCase() === chord.key.toLowerCase() || isOnKey(event, chord.key);
}

/** It writes characters, and says Ctrl and Alt on some systems. On Apple's it is the Option key, which is our Alt. */
function isAltGraph(event: KeyboardEvent, isApple: boolean): boolean {
  return !isApple && event.key.length === 1 && event.getModifierState("AltGraph");
}

/** Where letters are not Latin, or Option makes another one of them, the place on the keyboard counts. */
function isOnKey(event: KeyboardEvent, key: string): boolean {
  const isLatin = /^[a-z]$/i.test(event.key);
  return /^[a-z]$/.test(key) && !isLatin && event.code === `Key${key.toUpperCase()}`;
}

const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]:not([contenteditable=false])";

/** Escape empties a search field first, as browsers do by themselves; then there is nothing left to lose. */
function isEmptySearch(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === "search" && target.value === "";
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(TYPED_INTO) !== null;
}
