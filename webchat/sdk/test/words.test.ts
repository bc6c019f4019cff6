import { expect, test } from "vitest";
import { readFrame } from "../src/frames.js";
import { ASKING, WITHOUT_CLIENT_ID, type SendWord, type TellWord } from "../src/words.js";
import { examples } from "./protocol-examples.js";

// The compiler refuses this list if it lacks a word of `words.ts` or has one too many.
const WORDS: Record<SendWord | TellWord, true> = {
  answer: true,
  card: true,
  create_conversation: true,
  delete: true,
  delete_conversation: true,
  edit: true,
  encrypted_message: true,
  heartbeat: true,
  history: true,
  message: true,
  message_take: true,
  message_withdraw: true,
  ping: true,
  question_close: true,
  react: true,
  read: true,
  rename: true,
  run_append: true,
  run_attach: true,
  run_control: true,
  run_control_ack: true,
  run_finish: true,
  run_part: true,
  run_resume: true,
  run_start: true,
  search: true,
  status: true,
  tag: true,
  typing: true,
  update_conversation: true,
  visible: true,
};
const said = examples("json client").map((text) => readFrame(text)!);

test("every command of the protocol can be said", () => {
  const types = new Set(said.map((frame) => frame.type));
  for (const ofTheLink of ["hello", "ack"]) types.delete(ofTheLink);

  expect([...types].toSorted()).toEqual(Object.keys(WORDS).toSorted());
});

test.each(said.filter((frame) => frame.data["client_id"] !== undefined).map((frame) => frame.type))(
  "%s, whose example has a client_id, gets one here",
  (type) => {
    expect(WITHOUT_CLIENT_ID.has(type)).toBe(false);
  },
);

test("what changes nothing needs no client_id", () => {
  expect([...ASKING].filter((word) => !WITHOUT_CLIENT_ID.has(word))).toEqual([]);
});
