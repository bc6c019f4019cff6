import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readNotice, tagOf } from "../../src/worker/notice.ts";

describe("what a push becomes", () => {
  test("the example of the protocol leads to its message", () => {
    const protocol = readFileSync(join(import.meta.dirname, "../../../docs/protocol.md"), "utf8");
    const example = /```json web-push\n(.*)\n```/.exec(protocol)![1]!;

    const notice = readNotice(example);

    expect(notice).toEqual({
      title: "demo",
      body: "Build finished, 2 warnings",
      tag: tagOf("conv_01"),
      conversationId: "conv_01",
      url: "/c/conv_01?m=msg_09",
      unread: 3,
      isWithdrawn: false,
    });
  });

  test.each(["", "no JSON", "null", "[1]", '{"title": 5, "unread": "3", "withdraw": "yes"}'])(
    "of %j there is something to show all the same",
    (text) =>
      expect(readNotice(text)).toEqual({
        title: "amtrio",
        body: "",
        tag: "amtrio",
        conversationId: undefined,
        url: "/",
        unread: undefined,
        isWithdrawn: false,
      }),
  );

  test("the text of a message is shown without its marks", () => {
    expect(readNotice('{"title": "Coder", "body": "# Build **finished**"}').body).toBe("Build finished");
  });

  test("a withdrawn one says so", () => {
    expect(readNotice('{"tag": "conversation-c1", "withdraw": true}')).toMatchObject({ tag: "conversation-c1", isWithdrawn: true });
  });
});
