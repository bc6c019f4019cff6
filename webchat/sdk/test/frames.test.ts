import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, readFrame } from "../src/frames.js";

test("what was encoded is read as it was", () => {
  const data = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(fc.string(), data, fc.string(), (type, fields, ref) => {
      expect(readFrame(encodeFrame(type, fields, ref))).toEqual({ type, ref, data: JSON.parse(JSON.stringify(fields)) });
    }),
  );
});

test("any text at all is a frame or nothing, never an error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const frame = readFrame(text);
      expect(frame === undefined || typeof frame.type === "string").toBe(true);
    }),
  );
});

test.each(["", "null", "[]", '{"type":1}', '{"type":"a","data":[]}', '{"type":"a","seq":"1"}', '{"type":"a","seq":1.5}'])(
  "%s is no frame",
  (text) => {
    expect(readFrame(text)).toBeUndefined();
  },
);

test("a frame without data has empty data", () => {
  expect(readFrame('{"type":"gone","seq":4}')).toEqual({ type: "gone", seq: 4, data: {} });
});

test("undefined is left out, null stays", () => {
  expect(encodeFrame("a", { b: undefined, c: null })).toBe('{"type":"a","data":{"c":null}}');
});
