import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Log } from "../src/log.js";

const at = (seq: number, epoch = "ep"): { epoch: string; seq: number } => ({ epoch, seq });

describe("numbers of events", () => {
  test("own plus one is taken, own and less is known, more is a hole", () => {
    const log = new Log(at(5));
    log.opened("ep", 5);

    expect(log.judge(5, true)).toBe("known");
    expect(log.judge(7, true)).toBe("hole");
    expect(log.judge(6, true)).toBe("take");
    expect(log.judge(6, true)).toBe("known");
  });

  test("once there was no room nothing more is taken on this socket, or something would be left out", () => {
    const log = new Log(at(5));
    log.opened("ep", 5);

    expect(log.judge(6, false)).toBe("no_room");
    expect(log.judge(7, true)).toBe("no_room");
    log.opened("ep", 5);
    expect(log.judge(6, true)).toBe("take");
  });

  test("whatever is lost, repeated or mixed up on the way: what is taken is 1, 2, 3 …", () => {
    const deliveries = fc.array(fc.record({ seq: fc.nat(12), room: fc.boolean(), reopen: fc.boolean() }));
    fc.assert(
      fc.property(deliveries, (all) => {
        const log = new Log(at(0));
        const taken: number[] = [];
        for (const { seq, room, reopen } of all) {
          if (reopen) log.opened("ep", log.base!.seq);
          if (log.judge(seq, room) === "take") taken.push(seq);
        }
        expect(taken).toEqual(taken.map((_, index) => index + 1));
      }),
    );
  });
});

describe("where a socket goes on", () => {
  test("the first one of all says nothing and begins where the server says", () => {
    const log = new Log();

    expect(log.resume()).toEqual({});
    expect(log.opened("ep", 41)).toBe(true);
    expect(log.resume()).toEqual({ since: 41, epoch: "ep" });
    expect(log.judge(42, true)).toBe("take");
  });

  test("what was received and not confirmed is asked for again, and known then", () => {
    const log = new Log(at(5));
    log.opened("ep", 5);
    log.judge(6, true);

    expect(log.resume()).toEqual({ since: 5, epoch: "ep" });
    expect(log.judge(6, true)).toBe("known");
  });

  test.each([
    ["another history", "other", 5],
    ["a place beyond one's own", "ep", 6],
  ])("%s needs a snapshot", (_, epoch, seq) => {
    const log = new Log(at(5));

    expect(log.opened(epoch, seq)).toBe(false);
    expect(log.needsSnapshot).toBe(true);
  });
});

describe("what the consumer is done with", () => {
  test("moves the place that is kept", () => {
    const log = new Log(at(5));
    log.judge(6, true);
    const six = log.handedOver();

    expect(log.confirmed).toEqual(at(5));
    expect(log.done(six)).toBe(true);
    expect(log.confirmed).toEqual(at(6));
    expect(log.done(six)).toBe(false);
  });

  test("never moves it back", () => {
    const log = new Log(at(5));
    log.judge(6, true);
    const six = log.handedOver();
    log.judge(7, true);
    log.done(log.handedOver());

    expect(log.done(six)).toBe(false);
    expect(log.confirmed).toEqual(at(7));
  });

  test("says nothing any more once a snapshot stands for it", () => {
    const log = new Log(at(5));
    log.judge(6, true);
    const six = log.handedOver();
    log.rebuilt(at(3, "restored"));
    const snapshot = log.handedOver();

    expect(log.done(six)).toBe(false);
    expect(log.confirmed).toEqual(at(5));
    expect(log.done(snapshot)).toBe(true);
    expect(log.confirmed).toEqual(at(3, "restored"));
    expect(log.resume()).toEqual({ since: 3, epoch: "restored" });
  });
});
