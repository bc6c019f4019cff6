/** How far an own message has come: stored by the server, delivered to the agent, read by it. */

import type { Receipt } from "@amtrio/client";

export type Delivery = "stored" | "delivered" | "read";

export function deliveryOf(conversationSeq: number, receipts: readonly Receipt[]): Delivery {
  const agents = receipts.filter((receipt) => receipt.account_kind === "agent");
  if (agents.some((receipt) => receipt.read_up_to >= conversationSeq)) return "read";
  return agents.some((receipt) => receipt.delivered_up_to >= conversationSeq) ? "delivered" : "stored";
}
