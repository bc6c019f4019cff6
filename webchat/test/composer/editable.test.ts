import { expect, test } from "vitest";
import type { Message } from "@amtrio/client";
import { lastEditable } from "../../src/composer/editable.ts";
import { chat } from "../../src/engine/state.ts";
import { HERE, message, timeline } from "./stage.tsx";

const among = (...messages: Message[]): Message | undefined => {
  timeline(...messages);
  return lastEditable(HERE);
};

test("the last own message is found below the agent's", () => {
  const own = message(2, "mine");
  expect(among(message(1, "older"), own, message(3, "answer", { sender_type: "agent" }))).toBe(own);
});

test("what cannot be edited is passed over: deleted, sealed, without text", () => {
  const others = [message(2, "", { deleted: true }), message(3, "q83v", { kind: "encrypted" }), message(4, "")];
  expect(among(message(1, "mine"), ...others)?.message_id).toBe("m1");
  expect(among(...others)).toBeUndefined();
});

test.each(["on", "changed"] as const)("in an encrypted chat (%s) nothing is: what is from before would be said anew in the clear", (kind) => {
  const own = message(1, "mine");
  chat.setState({ secrecy: { [HERE]: { kind, safetyNumber: "1", verified: false } } });
  expect(among(own)).toBeUndefined();
  chat.setState({ secrecy: {} });
  expect(among(own)).toBe(own);
});
