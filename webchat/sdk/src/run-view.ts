/**
 * A live run as a device shows it: built from a snapshot and what is new since.
 *
 * Pure functions over values that never change, so that a view library sees by identity what is new; a part that did
 * not change stays the same object. Source: docs/protocol.md, "What devices are shown".
 */

import { countCodePoints, indexOfCodePoint } from "./code-points.js";
import type { Message, Meta, PartDelta, PartKind, RunDelta, RunPart, RunSnapshot } from "./shapes.js";

const BETWEEN_TEXTS = "\n\n";

/** One part, as far as it is known. */
export interface PartView {
  readonly part: number;
  readonly kind: PartKind;
  readonly meta: Meta;
  readonly text: string;
  /** Code points in `text`. */
  readonly length: number;
}

/** One run. */
export interface RunView {
  readonly run_id: string;
  readonly conversation_id: string;
  readonly agent_id: string;
  readonly reply_to: string | undefined;
  /** RFC 3339. */
  readonly started_at: string;
  /** How many changes it has seen. */
  readonly rev: number;
  readonly parts: readonly PartView[];
}

/** A snapshot, unless what is shown is newer. */
export function applySnapshot(view: RunView | undefined, snapshot: RunSnapshot): RunView {
  if (view !== undefined && snapshot.rev < view.rev) return view;
  return {
    run_id: snapshot.run_id,
    conversation_id: snapshot.conversation_id,
    agent_id: snapshot.agent_id,
    reply_to: snapshot.reply_to ?? undefined,
    started_at: snapshot.started_at,
    rev: snapshot.rev,
    parts: snapshot.parts.map(({ kind, meta, text = "" }, part) => ({
      part,
      kind,
      meta: meta ?? {},
      text,
      length: countCodePoints(text),
    })),
  };
}

/** What is new; "hole" if something before it is missing: ask for a snapshot (`run_attach`). */
export function applyDelta(view: RunView | undefined, delta: RunDelta): RunView | "hole" {
  if (view === undefined) return "hole";
  if (delta.rev <= view.rev) return view;
  if (delta.rev > view.rev + 1) return "hole";
  const parts = [...view.parts];
  for (const change of delta.parts) {
    const before = parts[change.part] ?? newPart(change, parts.length);
    if (before === undefined || (change.text && change.offset !== before.length)) return "hole";
    parts[change.part] = changed(before, change);
  }
  return { ...view, rev: delta.rev, parts };
}

/** What its message will say, as far as it is known. */
export function textOf(view: RunView): string {
  return view.parts
    .filter((part) => part.kind === "text" && part.length > 0)
    .map((part) => part.text)
    .join(BETWEEN_TEXTS);
}

/** The line about this moment, if the agent says one. */
export function statusOf(view: RunView): string | undefined {
  const last = view.parts.findLast((part) => part.kind === "status");
  const text = last?.meta["text"];
  return typeof text === "string" ? text : undefined;
}

/**
 * The parts of the run that a message is the end of, each text with what it says; none without a run.
 *
 * Of an edited message the content counts alone: it is one text part then, in front of the parts of other kinds. These
 * keep their numbers; its own is that of the first text there was, else one that no part has.
 */
export function partsOf(message: Message): PartView[] {
  if (message.run === undefined) return [];
  const { content } = message;
  const parts = message.run.parts ?? [];
  if (message.edited_at || message.deleted) {
    const first = parts.find(({ kind }) => kind === "text");
    const part = first?.part ?? Math.max(-1, ...parts.map((each) => each.part)) + 1;
    const whole: PartView = { part, kind: "text", meta: {}, text: content, length: countCodePoints(content) };
    return [whole, ...parts.filter(({ kind }) => kind !== "text").map(finished)];
  }
  let at = 0;
  return parts.map((part) => {
    if (part.kind !== "text") return finished(part);
    const length = part.length ?? 0;
    const end = indexOfCodePoint(content, length, at);
    const text = content.slice(at, end);
    at = length > 0 ? end + BETWEEN_TEXTS.length : at;
    return { part: part.part, kind: "text", meta: part.meta ?? {}, text, length };
  });
}

function finished({ part, kind, meta, text = "" }: RunPart): PartView {
  return { part, kind, meta: meta ?? {}, text, length: countCodePoints(text) };
}

function newPart(change: PartDelta, next: number): PartView | undefined {
  if (change.part !== next || change.kind === undefined) return undefined;
  return { part: change.part, kind: change.kind, meta: {}, text: "", length: 0 };
}

function changed(part: PartView, change: PartDelta): PartView {
  const text = change.text ?? "";
  return {
    ...part,
    meta: change.meta ?? part.meta,
    text: part.text + text,
    length: part.length + countCodePoints(text),
  };
}
