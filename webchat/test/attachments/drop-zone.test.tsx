import { act, createEvent, fireEvent, screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { DropZone } from "../../src/attachments/drop-zone.tsx";
import { trayOf } from "../../src/attachments/tray.ts";
import { AGENT, file, HERE, show, stage, type Stage } from "../composer/stage.tsx";
import { chat } from "../../src/engine/state.ts";

let scene: Stage;
beforeEach(() => {
  scene = stage();
  show(
    scene,
    <DropZone conversationId={HERE}>
      <p>messages</p>
    </DropZone>,
  );
});

const names = (): string[] => trayOf(HERE).files.map((each) => each.file.name);
const over = (): HTMLElement => screen.getByText("messages");

function carrying(...files: File[]): { dataTransfer: DataTransfer } {
  const dataTransfer = new DataTransfer();
  for (const each of files) dataTransfer.items.add(each);
  Object.defineProperty(dataTransfer, "types", { value: files.length > 0 ? ["Files"] : ["text/plain"] });
  return { dataTransfer };
}

function leave(to: HTMLElement): void {
  const event = createEvent.dragLeave(over(), carrying(file("a", 1)));
  Object.defineProperty(event, "relatedTarget", { value: to });
  fireEvent(over(), event);
}

test("three files that are let fall anywhere over the conversation are attached", () => {
  fireEvent.dragEnter(over(), carrying(file("a", 1)));
  expect(screen.getByText("Drop files to attach them")).toBeDefined();
  fireEvent.drop(over(), carrying(file("a", 1), file("b", 1), file("c", 1)));
  expect(names()).toEqual(["a", "b", "c"]);
  expect(screen.queryByText("Drop files to attach them")).toBeNull();
});

test("text that is dragged is none of its business", () => {
  fireEvent.dragEnter(over(), carrying());
  expect(screen.queryByText("Drop files to attach them")).toBeNull();
  // True: nobody has prevented what the browser does.
  expect(fireEvent.drop(over(), carrying())).toBe(true);
});

test("the sign stays while the pointer crosses what lies inside, and goes when it leaves", () => {
  fireEvent.dragEnter(over(), carrying(file("a", 1)));
  leave(over());
  expect(screen.getByText("Drop files to attach them")).toBeDefined();
  leave(document.body);
  expect(screen.queryByText("Drop files to attach them")).toBeNull();
});

test("where files may not go it says why and takes none", () => {
  act(() => chat.setState({ agents: { coder: { ...AGENT, supports: ["stop"] } } }));
  fireEvent.drop(over(), carrying(file("a", 1)));
  expect(names()).toEqual([]);
  expect(trayOf(HERE).refusals).toEqual(["This agent does not take files"]);
});
