import type { Rest } from "@amtrio/client";
import { afterEach, expect, test, vi } from "vitest";
import { roomOn, type UploadRoom } from "../../src/attachments/room.ts";

const ROOM: UploadRoom = { max_file_bytes: 10, quota_bytes: 100, used_bytes: 0, max_per_message: 3 };
afterEach(() => vi.useRealTimers());

function server(...answers: (UploadRoom | Error)[]): Rest {
  const uploadRoom = async (): Promise<UploadRoom> => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { uploadRoom } as unknown as Rest;
}

test("the server is asked once a minute", async () => {
  vi.useFakeTimers();
  const rest = server(ROOM, { ...ROOM, used_bytes: 50 });
  expect((await roomOn(rest))?.used_bytes).toBe(0);
  expect((await roomOn(rest))?.used_bytes).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect((await roomOn(rest))?.used_bytes).toBe(50);
});

test("a server that cannot be asked stops nobody, and is asked again next time", async () => {
  const rest = server(new Error("offline"), ROOM);
  expect(await roomOn(rest)).toBeUndefined();
  expect(await roomOn(rest)).toEqual(ROOM);
});
