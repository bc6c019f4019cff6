/** What agents say about a part, read with care: `meta` may hold anything. Source: docs/protocol.md, "Runs". */

import type { Meta } from "@amtrio/client";

export function textOf(meta: Meta, name: string): string | undefined {
  const value = meta[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function numberOf(meta: Meta, name: string): number | undefined {
  const value = meta[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export type ToolState = "waiting" | "running" | "done" | "failed" | "cut";

/** `isLive`: its run goes on. What was under way when the run ended will never be done. */
export function toolStateOf(meta: Meta, isLive: boolean): ToolState {
  const state = meta["state"];
  if (state === "done" || state === "failed") return state;
  if (!isLive) return "cut";
  return state === "pending" ? "waiting" : "running";
}

export interface Step {
  readonly text: string;
  readonly state: "waiting" | "running" | "done";
}

export function stepsOf(meta: Meta): readonly Step[] {
  const items: unknown = meta["items"];
  return Array.isArray(items) ? items.flatMap(stepOf) : [];
}

function stepOf(item: unknown): Step[] {
  if (typeof item !== "object" || item === null) return [];
  const { text, state } = item as { text?: unknown; state?: unknown };
  if (typeof text !== "string") return [];
  return [{ text, state: state === "done" || state === "running" ? state : "waiting" }];
}

export interface Sample {
  readonly text: string;
  readonly language: "json" | "";
}

/** Arguments or a result, for people to read; undefined if there is nothing. */
export function sampleOf(value: unknown): Sample | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return { text: value, language: "" };
  if (typeof value === "object" && Object.keys(value).length === 0) return undefined;
  return { text: JSON.stringify(value, undefined, 2), language: "json" };
}
