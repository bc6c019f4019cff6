import { expect, it } from "vitest";
import type { Receipt } from "@amtrio/client";
import { deliveryOf } from "../../src/conversation/delivery.ts";

function receipt(over: Partial<Receipt>): Receipt {
  return { account_kind: "agent", account_id: "demo", read_up_to: 0, delivered_up_to: 0, ...over };
}

it("A message is stored, then delivered, then read", () => {
  expect(deliveryOf(5, [receipt({ delivered_up_to: 4, read_up_to: 4 })])).toBe("stored");
  expect(deliveryOf(5, [receipt({ delivered_up_to: 5, read_up_to: 4 })])).toBe("delivered");
  expect(deliveryOf(5, [receipt({ delivered_up_to: 5, read_up_to: 5 })])).toBe("read");
});

it("What its own sender has read says nothing", () => {
  expect(deliveryOf(5, [receipt({ account_kind: "user", account_id: "u1", delivered_up_to: 9, read_up_to: 9 })])).toBe("stored");
});
