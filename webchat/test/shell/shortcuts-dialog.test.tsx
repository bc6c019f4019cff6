import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { SHORTCUTS } from "../../src/shell/shortcuts.ts";
import { ShortcutsDialog } from "../../src/shell/shortcuts-dialog.tsx";
import { words } from "../../src/shell/dialog-words.ts";
import { show } from "./seed.tsx";

test("every shortcut of the table is told, with its keys", () => {
  show(<ShortcutsDialog onClose={() => undefined} />);
  const dialog = screen.getByRole("dialog", { name: "Keyboard shortcuts" });
  expect(within(dialog).getAllByRole("term").map((each) => each.textContent)).toEqual(
    SHORTCUTS.map(({ label }) => words.en[label]),
  );
  expect(within(dialog).getByText("Search messages").nextElementSibling!.textContent).toBe("/orCtrlShiftF");
});
