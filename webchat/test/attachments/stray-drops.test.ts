import { beforeAll, expect, test } from "vitest";
import { refuseStrayDrops } from "../../src/attachments/stray-drops.ts";

beforeAll(() => refuseStrayDrops());

/** What becomes of it. */
function dragged(kind: "dragover" | "drop", types: readonly string[], onto: Element = document.body): DragEvent {
  const event = new Event(kind, { bubbles: true, cancelable: true }) as DragEvent;
  Object.defineProperty(event, "dataTransfer", { value: { types, dropEffect: "copy" } });
  document.body.append(onto);
  onto.dispatchEvent(event);
  return event;
}

test("files let fall where nobody takes them are not opened, and the pointer says so", () => {
  const over = dragged("dragover", ["Files"], document.createElement("nav"));
  expect([over.defaultPrevented, over.dataTransfer!.dropEffect]).toEqual([true, "none"]);
  expect(dragged("drop", ["Files"], document.createElement("nav")).defaultPrevented).toBe(true);
});

test("who takes files, and text that is dragged into a field, are left alone", () => {
  const zone = document.createElement("div");
  zone.addEventListener("dragover", (event) => event.preventDefault());
  expect(dragged("dragover", ["Files"], zone).dataTransfer!.dropEffect).toBe("copy");
  expect(dragged("drop", ["text/plain"], document.createElement("textarea")).defaultPrevented).toBe(false);
  const input = Object.assign(document.createElement("input"), { type: "file" });
  expect(dragged("drop", ["Files"], input).defaultPrevented).toBe(false);
});
