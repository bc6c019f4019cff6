import { Refused, Unreachable } from "@amtrio/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  addFiles,
  cancelSending,
  emptyTray,
  removeFile,
  retryFile,
  sendWhenUploaded,
  trayOf,
} from "../../src/attachments/tray.ts";
import { chat } from "../../src/engine/state.ts";
import { file, HERE, stage, THERE, type Stage } from "../composer/stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});

afterEach(() => {
  vi.useRealTimers();
});

const names = (): string[] => trayOf(HERE).files.map((each) => each.file.name);
const states = (): string[] => trayOf(HERE).files.map((each) => each.state);

/** Put files in, until the server has said what it takes. */
async function put(...files: File[]): Promise<string[]> {
  const ids = addFiles(HERE, files, scene.actions);
  await settled();
  return ids;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe("limits", () => {
  test("a file over the limit is refused before it travels, and the limit is named", async () => {
    await put(file("film.mov", 200_000), file("note.txt", 10));
    expect(names()).toEqual(["note.txt"]);
    expect(trayOf(HERE).refusals).toEqual(["film.mov is too large (200 kB): at most 100 kB"]);
    expect(scene.uploads.map((each) => each.file.name)).toEqual(["note.txt"]);
  });

  test("files beyond what a message holds are left out", async () => {
    await put(...["a", "b", "c", "d", "e"].map((name) => file(name, 1)));
    expect(names()).toEqual(["a", "b", "c"]);
    expect(trayOf(HERE).refusals).toEqual(["At most 3 files fit into one message; the others were left out"]);
  });

  test("a file that is refused for its size takes no other one's place", async () => {
    await put(file("film.mov", 200_000), file("a", 1), file("b", 1), file("c", 1));
    expect(names()).toEqual(["a", "b", "c"]);
    expect(trayOf(HERE).refusals).toEqual(["film.mov is too large (200 kB): at most 100 kB"]);
  });

  test("files that together do not fit into what is left of the storage are refused", async () => {
    await put(file("a", 90_000), file("b", 90_000), file("c", 90_000));
    expect(names()).toEqual(["a", "b"]);
    expect(trayOf(HERE).refusals).toEqual(["c does not fit (90 kB): 70 kB of your storage are left"]);
  });
});

describe("uploads", () => {
  test("they start at once, tell how far they are, and end with what the server made of them", async () => {
    await put(file("a.txt", 100));
    expect(states()).toEqual(["uploading"]);
    scene.uploads[0]!.progress(40, 100);
    expect(trayOf(HERE).files[0]!.sent).toBe(40);
    scene.uploads[0]!.succeed();
    await settled();
    expect(trayOf(HERE).files[0]).toMatchObject({ state: "uploaded", attachment: { attachment_id: "att-a.txt" } });
  });

  test("what often goes wrong is said in the language of the app, the rest in the words of the server", async () => {
    const [a, b, c] = ["quota_exceeded", "too_large", "unsupported"].map((code) => new Refused("said by the server", { code }));
    await put(file("a", 1), file("b", 1), file("c", 1));
    for (const [at, error] of [a, b, c].entries()) scene.uploads[at]!.fail(error!);
    await settled();
    const reasons = ["No room is left for it. Delete other files first", "Too large for this server", "said by the server"];
    expect(trayOf(HERE).files.map((each) => each.error)).toEqual(reasons);
  });

  test("a file that is taken out is not uploaded any longer", async () => {
    const [id] = await put(file("a.txt", 100));
    removeFile(HERE, id!);
    expect(scene.uploads[0]!.signal.aborted).toBe(true);
    expect(names()).toEqual([]);
  });

  test("a file that is there already is taken back from the server", async () => {
    const [id] = await put(file("a.txt", 100));
    scene.uploads[0]!.succeed();
    await settled();
    removeFile(HERE, id!);
    expect(scene.askedFor("rest.call")).toEqual([["DELETE", "/attachments/att-a.txt"]]);
  });

  test("a failed one says why and can be tried again", async () => {
    const [id] = await put(file("a.txt", 100));
    scene.uploads[0]!.fail(new Error("quota exceeded"));
    await settled();
    expect(trayOf(HERE).files[0]).toMatchObject({ state: "failed", error: "quota exceeded", isCutOff: false });
    retryFile(HERE, id!);
    expect(states()).toEqual(["uploading"]);
    expect(scene.uploads).toHaveLength(2);
  });

  test("one that was cut off goes again by itself when there is a connection", async () => {
    await put(file("a.txt", 100));
    chat.setState({ link: { kind: "offline", reason: "gone", retryAt: 0 } });
    scene.uploads[0]!.fail(new Unreachable("nobody answered"));
    await settled();
    expect(states()).toEqual(["failed"]);
    chat.setState({ link: { kind: "online" } });
    expect(states()).toEqual(["uploading"]);
  });

  test("one that was cut off while connected is tried again after a while, and then less and less often", async () => {
    vi.useFakeTimers();
    await put(file("a.txt", 100));
    for (const [at, wait] of [2000, 4000, 8000].entries()) {
      scene.uploads[at]!.fail(new Unreachable("nobody answered"));
      await vi.advanceTimersByTimeAsync(wait - 10);
      expect(trayOf(HERE).files[0]).toMatchObject({ state: "failed", isCutOff: true });
      await vi.advanceTimersByTimeAsync(20);
      expect(states()).toEqual(["uploading"]);
    }
    scene.uploads[3]!.succeed();
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual(["uploaded"]);
  });

  test("one that was taken out is not tried again", async () => {
    vi.useFakeTimers();
    const [id] = await put(file("a.txt", 100));
    scene.uploads[0]!.fail(new Unreachable("nobody answered"));
    await vi.advanceTimersByTimeAsync(0);
    removeFile(HERE, id!);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scene.uploads).toHaveLength(1);
  });

  test("without a connection they wait for one", async () => {
    chat.setState({ link: { kind: "offline", reason: "gone", retryAt: 0 } });
    await put(file("a.txt", 100));
    expect(states()).toEqual(["waiting"]);
    chat.setState({ link: { kind: "online" } });
    expect(states()).toEqual(["uploading"]);
  });

  test("three go at a time, over all chats", async () => {
    await put(file("a", 1), file("b", 1));
    addFiles(THERE, [file("c", 1), file("d", 1)], scene.actions);
    await settled();
    expect(scene.uploads.map((each) => each.file.name)).toEqual(["a", "b", "c"]);
    scene.uploads[0]!.succeed();
    await settled();
    expect(scene.uploads.map((each) => each.file.name)).toEqual(["a", "b", "c", "d"]);
  });

  test("signing out ends them and forgets them", async () => {
    await put(file("a.txt", 100));
    chat.setState({ self: null });
    expect(scene.uploads[0]!.signal.aborted).toBe(true);
    expect(names()).toEqual([]);
  });
});

test("previews of pictures are made, and freed with them", async () => {
  const free = vi.spyOn(URL, "revokeObjectURL");
  await put(file("a.png", 1, "image/png"), file("b.txt", 1));
  const [picture, text] = trayOf(HERE).files;
  expect(text!.previewUrl).toBeUndefined();
  emptyTray(HERE);
  expect(free.mock.calls).toEqual([[picture!.previewUrl]]);
});

describe("sending when uploaded", () => {
  const parcel = { content: "see", replyTo: "m1" };
  const sent = (): unknown[][] => scene.askedFor("send");

  test("the message goes with the last upload, and the tray is empty", async () => {
    await put(file("a", 1), file("b", 1));
    sendWhenUploaded(HERE, parcel, scene.actions);
    scene.uploads[1]!.succeed();
    await settled();
    expect(sent()).toEqual([]);
    scene.uploads[0]!.succeed();
    await settled();
    expect(sent()).toMatchObject([
      [HERE, "see", { replyTo: "m1", attachments: [{ filename: "a" }, { filename: "b" }] }],
    ]);
    expect(trayOf(HERE)).toMatchObject({ files: [], parcel: undefined, delivered: 1 });
    expect(scene.askedFor("setDraft")).toEqual([[HERE, ""]]);
  });

  test("a failure keeps it back, and its sender decides anew", async () => {
    await put(file("a", 1));
    sendWhenUploaded(HERE, parcel, scene.actions);
    scene.uploads[0]!.fail(new Error("no"));
    await settled();
    expect(trayOf(HERE).parcel).toBeUndefined();
    expect(sent()).toEqual([]);
  });

  test("a connection that was cut does not: it goes on waiting", async () => {
    await put(file("a", 1));
    sendWhenUploaded(HERE, parcel, scene.actions);
    chat.setState({ link: { kind: "offline", reason: "gone", retryAt: 0 } });
    scene.uploads[0]!.fail(new Unreachable("nobody answered"));
    await settled();
    chat.setState({ link: { kind: "online" } });
    scene.uploads[1]!.succeed();
    await settled();
    expect(sent()).toHaveLength(1);
  });

  test("taking out the last file that it waits for lets it go", async () => {
    const [, second] = await put(file("a", 1), file("b", 1));
    scene.uploads[0]!.succeed();
    sendWhenUploaded(HERE, parcel, scene.actions);
    await settled();
    removeFile(HERE, second!);
    expect(sent()).toMatchObject([[HERE, "see", { attachments: [{ filename: "a" }] }]]);
  });

  test("without text and without files there is nothing left to send", async () => {
    const [id] = await put(file("a", 1));
    sendWhenUploaded(HERE, { content: "", replyTo: undefined }, scene.actions);
    removeFile(HERE, id!);
    expect(sent()).toEqual([]);
    expect(trayOf(HERE).parcel).toBeUndefined();
  });

  test("it can be called off", async () => {
    await put(file("a", 1));
    sendWhenUploaded(HERE, parcel, scene.actions);
    cancelSending(HERE);
    scene.uploads[0]!.succeed();
    await settled();
    expect(sent()).toEqual([]);
    expect(states()).toEqual(["uploaded"]);
  });
});

describe("encryption", () => {
  const turn = (kind: "on" | "off" | "changed"): void => chat.setState({ secrecy: { [HERE]: { kind, safetyNumber: "1", verified: true } } });
  const takenBack = (): unknown[] => scene.askedFor("rest.call").map(([method, path]) => `${method as string} ${path as string}`);

  test("what was uploaded before it was turned on is taken back, and goes again sealed before anything is sent", async () => {
    turn("off");
    await put(file("plan.txt", 10));
    scene.uploads[0]!.succeed();
    await settled();
    turn("on");
    expect(states()).toEqual(["uploading"]);
    expect(takenBack()).toEqual(["DELETE /attachments/att-plan.txt"]);
    sendWhenUploaded(HERE, { content: "look", replyTo: undefined }, scene.actions);
    expect(scene.askedFor("send")).toEqual([]);
    scene.uploads[1]!.succeed({ key: "k" });
    await settled();
    expect(scene.askedFor("send")).toMatchObject([[HERE, "look", { attachments: [{ key: "k" }] }]]);
  });

  test("what was sealed goes in the clear once it is turned off, and stays as it is while keys have changed", async () => {
    turn("on");
    await put(file("plan.txt", 10));
    scene.uploads[0]!.succeed({ key: "k" });
    await settled();
    turn("changed");
    expect(states()).toEqual(["uploaded"]);
    turn("off");
    expect(states()).toEqual(["uploading"]);
    scene.uploads[1]!.succeed();
    await settled();
    expect(trayOf(HERE).files[0]!.attachment).not.toHaveProperty("key");
  });

  test("as long as nobody knows whether it is on, what was sealed stays", async () => {
    await put(file("plan.txt", 10));
    scene.uploads[0]!.succeed({ key: "k" });
    await settled();
    expect(states()).toEqual(["uploaded"]);
    turn("on");
    expect(states()).toEqual(["uploaded"]);
    expect(takenBack()).toEqual([]);
  });
});
