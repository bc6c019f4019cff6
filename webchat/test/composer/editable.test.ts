import { expect, test } from "vitest";
import { lastEditable } from "../../src/composer/editable.ts";
import { message } from "./stage.tsx";

test("the last own message is found below the agent's", () => {
  const own = message(2, "mine");
  const messages = [message(1, "older"), own, message(3, "answer", { sender_type: "agent" })];
  expect(lastEditable(messages)).toBe(own);
});

test("what cannot be edited is passed over: deleted, sealed, without text", () => {
  const messages = [
    message(1, "mine"),
    message(2, "", { deleted: true }),
    message(3, "q83v", { kind: "encrypted" }),
    message(4, ""),
  ];
  expect(lastEditable(messages)?.message_id).toBe("m1");
  expect(lastEditable(messages.slice(1))).toBeUndefined();
});
