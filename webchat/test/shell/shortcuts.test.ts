import { expect, test } from "vitest";
import { commandOf, SHORTCUTS } from "../../src/shell/shortcuts.ts";

function press(key: string, init: KeyboardEventInit = {}, target: Element = document.body): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

test("keys with modifiers are commands, also while typing", () => {
  const field = document.body.appendChild(document.createElement("textarea"));
  expect(commandOf(press("k", { ctrlKey: true }, field), false)).toBe("palette");
  expect(commandOf(press("ArrowDown", { altKey: true }, field), false)).toBe("next-chat");
  expect(commandOf(press("ArrowUp", { altKey: true, shiftKey: true }, field), false)).toBe("previous-unread");
  expect(commandOf(press("F", { ctrlKey: true, shiftKey: true }, field), false)).toBe("find");
  expect(commandOf(press(",", { ctrlKey: true }, field), false)).toBe("settings");
  field.remove();
});

test("plain keys are commands only where nothing is typed", () => {
  for (const html of ["<input>", "<textarea></textarea>", "<select></select>", "<p contenteditable>x</p>"]) {
    document.body.innerHTML = html;
    expect(commandOf(press("?", { shiftKey: true }, document.body.firstElementChild!), false)).toBeUndefined();
    expect(commandOf(press("/", {}, document.body.firstElementChild!), false)).toBeUndefined();
  }
  document.body.innerHTML = "<button></button>";
  expect(commandOf(press("?", { shiftKey: true }, document.body.firstElementChild!), false)).toBe("shortcuts");
  document.body.innerHTML = "<input type=checkbox>";
  expect(commandOf(press("/", {}, document.body.firstElementChild!), false)).toBe("find");
  document.body.innerHTML = "";
});

test("a sign counts wherever the layout has it: the slash is Shift and 7 in Germany", () => {
  expect(commandOf(press("/", { shiftKey: true, code: "Digit7" }), false)).toBe("find");
});

test("a letter counts by its place where letters are not Latin, and never twice", () => {
  expect(commandOf(press("л", { ctrlKey: true, code: "KeyK" }), false)).toBe("palette");
  expect(commandOf(press("Dead", { altKey: true, code: "KeyN" }), true)).toBe("new-chat");
  expect(commandOf(press("t", { ctrlKey: true, code: "KeyK" }), false)).toBeUndefined();
});

test("Cmd is for Apple's machines, Ctrl for the others", () => {
  expect(commandOf(press("k", { metaKey: true }), true)).toBe("palette");
  expect(commandOf(press("k", { ctrlKey: true }), true)).toBeUndefined();
  expect(commandOf(press("k", { metaKey: true }), false)).toBeUndefined();
});

test("neither composing nor AltGr nor what somebody else has taken is a command", () => {
  expect(commandOf(press("k", { ctrlKey: true, isComposing: true }), false)).toBeUndefined();
  expect(commandOf(press("n", { altKey: true, modifierAltGraph: true }), false)).toBeUndefined();
  const taken = press("k", { ctrlKey: true });
  taken.preventDefault();
  expect(commandOf(taken, false)).toBeUndefined();
});

test("no two commands have the same keys", () => {
  const chords = SHORTCUTS.filter(({ command }) => command !== undefined).flatMap(({ chords: each }) => each);
  const written = chords.map((chord) => JSON.stringify(chord, ["mod", "alt", "shift", "key"]));
  expect(new Set(written).size).toBe(written.length);
});

test("Escape in an empty search field closes what is open; where words stand, it is the field's", () => {
  document.body.innerHTML = '<input type="search">';
  const field = document.body.firstElementChild as HTMLInputElement;
  expect(commandOf(press("Escape", {}, field), false)).toBe("close");
  field.value = "tide";
  expect(commandOf(press("Escape", {}, field), false)).toBeUndefined();
  document.body.innerHTML = "";
});
