/**
 * When code is coloured, and how much of it.
 *
 * Colouring begins at the top each time, so a block that grows is coloured again only when a sixteenth of it is new,
 * and not beyond its first 8,000 characters: that keeps it below a tenth of a millisecond per delta. Colours change
 * nothing but colour, so they may come late.
 */

import { useEffect, useState } from "react";

/** A piece of code: plain, or with a scope (`keyword`, `string` …) around others. */
export type Stretch = string | { readonly scope: string; readonly inside: readonly Stretch[] };

interface Coloured {
  readonly stretches: readonly Stretch[];
  /** What follows them, without colour. */
  readonly rest: string;
}

type Highlight = (code: string, language: string) => readonly Stretch[] | null;

// A block that is open costs its colouring some hundred times.
const MAX_OPEN_CHARACTERS = 8000;
// About 20 ms on a slow phone; nobody reads longer code for its colours.
const MAX_CHARACTERS = 20_000;
// Coloured while drawing, without a moment in black and white: less than a millisecond.
const MAX_AT_ONCE_CHARACTERS = 1500;
const MAX_REMEMBERED = 200;

const NONE: readonly Stretch[] = [];
let highlight: Highlight | undefined;
let loading: Promise<void> | undefined;
const remembered = new Map<string, readonly Stretch[] | null>();

/** The colours of a block as far as they are known at this moment. Nothing here waits. */
export function useColours(text: string, language: string, isOpen: boolean): Coloured {
  const [growing] = useState(() => new GrowingColours());
  const [, setRound] = useState(0);
  const wanted = language !== "" && text !== "" && (isOpen || text.length <= MAX_CHARACTERS);
  const whole = isOpen || !wanted ? undefined : recall(text, language);
  const isMissing = wanted && whole === undefined && (!isOpen || highlight === undefined);
  useEffect(() => {
    if (!isMissing) return;
    return whenIdle(() => {
      if (!isOpen) remember(text, language);
      setRound((round) => round + 1);
    });
  }, [isMissing, isOpen, text, language]);
  if (!wanted || whole === null) return { stretches: NONE, rest: text };
  if (whole !== undefined) return { stretches: whole, rest: "" };
  return growing.read(text, language, isOpen);
}

/** The colours of the beginning of a text that grows. */
class GrowingColours {
  #code = "";
  #language = "";
  #stretches = NONE;

  read(text: string, language: string, isOpen: boolean): Coloured {
    if (language !== this.#language || !text.startsWith(this.#code)) {
      this.#code = "";
      this.#stretches = NONE;
      this.#language = language;
    }
    const end = text.lastIndexOf("\n", MAX_OPEN_CHARACTERS) + 1;
    if (isOpen && highlight !== undefined && end > this.#code.length + this.#code.length / 16) {
      const code = text.slice(0, end);
      const stretches = highlight(code, language);
      this.#code = stretches === null ? "" : code;
      this.#stretches = stretches ?? NONE;
    }
    return { stretches: this.#stretches, rest: text.slice(this.#code.length) };
  }
}

function keyOf(text: string, language: string): string {
  return `${language}\n${text}`;
}

function recall(text: string, language: string): readonly Stretch[] | null | undefined {
  if (text.length <= MAX_AT_ONCE_CHARACTERS) remember(text, language);
  return remembered.get(keyOf(text, language));
}

function remember(text: string, language: string): void {
  if (highlight === undefined) return;
  const key = keyOf(text, language);
  if (!remembered.has(key)) remembered.set(key, highlight(text, language));
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MAX_REMEMBERED) break;
    remembered.delete(oldest);
  }
}

/** Runs once the colours are there and the browser has nothing better to do. Returns how to call it off. */
function whenIdle(run: () => void): () => void {
  let isOff = false;
  const start = (): void => {
    if (isOff) return;
    // Safari has no idle callbacks.
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => isOff || run(), { timeout: 500 });
    else setTimeout(() => isOff || run(), 30);
  };
  void load().then(start);
  return () => {
    isOff = true;
  };
}

function load(): Promise<void> {
  loading ??= import("./highlight.ts").then(
    (chunk) => {
      highlight = chunk.highlight;
    },
    () => {
      // Offline before it was ever loaded: code stays plain; the next block tries again.
      loading = undefined;
    },
  );
  return loading;
}
