import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { EmojiButton } from "../../src/composer/emoji-button.tsx";
import EmojiPicker from "../../src/composer/emoji-picker.tsx";
import { rememberEmoji } from "../../src/composer/recent-emoji.ts";
import { choose } from "../../src/i18n/language.ts";
import { show, stage, type Stage } from "./stage.tsx";

let scene: Stage;
let asked: string[];
beforeEach(() => {
  scene = stage();
  asked = [];
  // The library says aloud that it got no data.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

function serve(answer: (address: string) => Response): void {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (address) => {
    asked.push(String(address));
    return answer(String(address));
  });
}

test("without its data the picker says so, and asks nobody but our own server", async () => {
  serve(() => new Response("not here", { status: 404 }));
  show(scene, <EmojiPicker onPick={() => undefined} />);
  expect((await screen.findByRole("alert")).textContent).toBe("Emoji could not be loaded");
  expect(asked).toEqual(["/emoji/en/data.json", "/emoji/en/messages.json"]);
});

test("its data are those of the language that is shown", async () => {
  serve(() => new Response("not here", { status: 404 }));
  choose("de");
  show(scene, <EmojiPicker onPick={() => undefined} />);
  await screen.findByRole("alert");
  choose("system");
  expect(asked).toEqual(["/emoji/de/data.json", "/emoji/de/messages.json"]);
});

test("those picked last stand on top until one searches, and are picked by a click", async () => {
  const none = { groups: [], subgroups: [], skinTones: [] };
  serve((address) => new Response(JSON.stringify(address.endsWith("data.json") ? [] : none)));
  rememberEmoji("🚀");
  rememberEmoji("👍");
  const picked: string[] = [];
  show(scene, <EmojiPicker onPick={(emoji) => picked.push(emoji)} />);
  await userEvent.click(screen.getByRole("button", { name: "🚀" }));
  expect(picked).toEqual(["🚀"]);
  expect(screen.getByRole("group", { name: "Recent" }).textContent).toBe("🚀👍");
  await userEvent.type(screen.getByRole("searchbox", { name: "Search emoji" }), "heart");
  expect(screen.queryByRole("group", { name: "Recent" })).toBeNull();
});

test("a search puts what is meant first, and Enter picks it as the server spells it", async () => {
  const none = { groups: [], subgroups: [], skinTones: [] };
  const of = (emoji: string, label: string, tags: string[]) => ({ emoji, label, tags, group: 1, version: 0.6 });
  const data = [
    of("🧑‍🚀", "astronaut", ["rocket", "space"]),
    of("🚀", "rocket", ["space"]),
    of("👎️", "thumbs down", ["thumb"]),
    of("👍️", "thumbs up", ["thumb"]),
    of("💔", "broken heart", []),
  ];
  // Those of the other language are known from the test before.
  choose("de");
  serve((address) => new Response(JSON.stringify(address.endsWith("data.json") ? data : none)));
  const picked: string[] = [];
  show(scene, <EmojiPicker onPick={(emoji) => picked.push(emoji)} />);
  const search = screen.getByRole("searchbox");
  await waitFor(() => expect(asked).toHaveLength(2));
  await userEvent.type(search, "thumb");
  await screen.findAllByRole("gridcell");
  await userEvent.keyboard("{Enter}");
  await userEvent.clear(search);
  await userEvent.type(search, "rocket{ArrowRight}{Enter}");
  await userEvent.clear(search);
  await userEvent.type(search, "ok");
  expect(screen.queryByRole("gridcell")).toBeNull();
  choose("system");
  expect(picked).toEqual(["👍", "🧑‍🚀"]);
});

test("the panel closes by Escape, which gives the focus back, and by a click beside it", async () => {
  serve(() => new Response("not here", { status: 404 }));
  show(
    scene,
    <>
      <EmojiButton onPick={() => undefined} />
      <p>beside</p>
    </>,
  );
  const button = screen.getByRole("button", { name: "Emoji" });
  await userEvent.click(button);
  screen.getByRole("dialog", { name: "Emoji" }).setAttribute("tabindex", "-1");
  act(() => screen.getByRole("dialog").focus());
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(document.activeElement).toBe(button);
  await userEvent.click(button);
  await userEvent.click(screen.getByText("beside"));
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("Escape that ends the composing of a word closes no panel", async () => {
  serve(() => new Response("not here", { status: 404 }));
  show(scene, <EmojiButton onPick={() => undefined} />);
  await userEvent.click(screen.getByRole("button", { name: "Emoji" }));
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "Escape", keyCode: 229 });
  expect(screen.getByRole("dialog")).toBeDefined();
});
