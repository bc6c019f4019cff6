/** The list of suggestions over the field: what is in it, which one is chosen, and what keys do with it. */

import { useEffect, useId, useMemo, useState, type KeyboardEvent, type RefObject } from "react";
import { useChat } from "../engine/state.ts";
import { useLanguage } from "../i18n/language.ts";
import { insertText, type Changeable } from "./field-text.ts";
import { isComposing } from "./keys.ts";
import { suggestAgents, suggestCommands, tokenAt, type Suggestion, type Token } from "./suggestions.ts";

export interface Suggestions {
  readonly items: readonly Suggestion[];
  /** Index of the chosen one. */
  readonly active: number;
  readonly listId: string;
  readonly optionId: (index: number) => string;
  readonly pick: (index: number) => void;
  readonly choose: (index: number) => void;
  /** True: the key was for the list. */
  readonly press: (event: KeyboardEvent) => boolean;
  readonly close: () => void;
}

const NONE: readonly Suggestion[] = [];

/** `caret`: where it stands; undefined while something is selected or the field is left. */
export function useSuggestions(
  field: RefObject<HTMLTextAreaElement | null>,
  text: string,
  caret: number | undefined,
  changed: Changeable["changed"],
  agentId: string | undefined,
): Suggestions {
  const listId = useId();
  const token = useMemo(() => (caret === undefined ? undefined : tokenAt(text, caret)), [text, caret]);
  const found = useFound(token, agentId);
  const [closedAt, setClosedAt] = useState<number>();
  const [active, setActive] = useState(0);

  const key = token === undefined ? "" : `${token.kind} ${token.query}`;
  useEffect(() => setActive(0), [key]);
  useEffect(() => {
    if (token === undefined) setClosedAt(undefined);
  }, [token]);

  // What is written out in full needs no help: Enter shall send it.
  const isWritten = found.some((each) => each.aside === undefined && each.text.trim() === text.trim());
  const items = token === undefined || token.start === closedAt || isWritten ? NONE : found;
  const chosen = Math.min(active, items.length - 1);

  function pick(index: number): void {
    const item = items[index];
    if (item === undefined || token === undefined || field.current === null) return;
    insertText({ field: field.current, changed }, item.text, token.start, caret!);
  }

  function press(event: KeyboardEvent): boolean {
    if (items.length === 0 || isComposing(event.nativeEvent) || event.shiftKey || event.altKey) return false;
    if (event.ctrlKey || event.metaKey) return false;
    if (event.key === "ArrowDown") setActive((chosen + 1) % items.length);
    else if (event.key === "ArrowUp") setActive((chosen + items.length - 1) % items.length);
    else if (event.key === "Enter" || event.key === "Tab") pick(chosen);
    else if (event.key === "Escape") setClosedAt(token!.start);
    else return false;
    event.preventDefault();
    return true;
  }

  return {
    items,
    active: chosen,
    listId,
    optionId: (index) => `${listId}-${index}`,
    pick,
    choose: setActive,
    press,
    close: () => setClosedAt(token?.start),
  };
}

function useFound(token: Token | undefined, agentId: string | undefined): readonly Suggestion[] {
  const language = useLanguage();
  const agents = useChat((state) => state.agents);
  const commands = agentId === undefined ? undefined : agents[agentId]?.commands;
  const [emoji, setEmoji] = useState(NONE);
  const kind = token?.kind;
  const query = token?.query ?? "";

  useEffect(() => {
    if (kind !== "emoji") return undefined;
    let isWanted = true;
    const show = (found: readonly Suggestion[]): void => {
      if (isWanted) setEmoji(found);
    };
    // Without them the colon and its letters stay what they are.
    import("./emoji-data.ts").then(({ suggestEmoji }) => suggestEmoji(query, language)).then(show, () => show(NONE));
    return () => {
      isWanted = false;
    };
  }, [kind, query, language]);

  return useMemo(() => {
    if (kind === "command") return suggestCommands(query, commands ?? []);
    if (kind === "agent") return suggestAgents(query, Object.values(agents));
    // Those of the letter before stay until the new ones are there, or the list would flicker.
    if (kind === "emoji") return emoji;
    return NONE;
  }, [kind, query, commands, agents, emoji]);
}
