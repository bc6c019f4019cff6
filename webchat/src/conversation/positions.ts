/** Where one was in each conversation, so that coming back leads there again. In memory only: a new visit begins at the end. */

import type { VirtualItem } from "@tanstack/react-virtual";

export interface Position {
  /** The row at the upper edge, and how far its top is above that edge in pixels; undefined: at the end. */
  readonly anchor: { readonly key: string; readonly above: number } | undefined;
  /** How high rows were, so that the way back needs no guessing. */
  readonly measurements: VirtualItem[];
}

const positions = new Map<string, Position>();
// Each holds a few numbers per row that was seen.
const KEPT_AT_MOST = 30;

export function positionIn(conversationId: string): Position | undefined {
  return positions.get(conversationId);
}

export function keepPosition(conversationId: string, position: Position): void {
  positions.delete(conversationId);
  positions.set(conversationId, position);
  const [oldest] = positions.keys();
  if (positions.size > KEPT_AT_MOST) positions.delete(oldest!);
}
