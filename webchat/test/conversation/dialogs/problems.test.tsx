/** What the server refuses in a dialog: seen, and heard by whoever does not see. */

import { Refused } from "@amtrio/client";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { DeleteDialog } from "../../../src/conversation/dialogs/delete-dialog.tsx";
import { EditsDialog } from "../../../src/conversation/dialogs/edits-dialog.tsx";
import { EncryptionDialog } from "../../../src/conversation/dialogs/encryption-dialog.tsx";
import { ExportDialog } from "../../../src/conversation/dialogs/export-dialog.tsx";
import { FilesDialog } from "../../../src/conversation/dialogs/files-dialog.tsx";
import { MuteDialog } from "../../../src/conversation/dialogs/mute-dialog.tsx";
import { RenameDialog } from "../../../src/conversation/dialogs/rename-dialog.tsx";
import { conversation, know, recording, said, show } from "../scene.tsx";

const gone = () => Promise.reject(new Refused("no conversation 'c1' for ada", { code: "not_found" }));
const refusing = { deleteConversation: gone, mute: gone, setEncryption: gone, rename: gone, rest: { call: gone, history: gone } };
const props = { conversation: conversation(), agentName: "Demo", onClose: () => undefined };

it.each([
  ["what a message said before", <EditsDialog key="edits" {...props} message={said(1, "Words")} />, undefined],
  ["the files", <FilesDialog key="files" {...props} />, undefined],
  ["muting", <MuteDialog key="mute" {...props} />, button(/hour/)],
  ["encryption", <EncryptionDialog key="encryption" {...props} />, () => screen.getByRole("switch")],
  ["deleting", <DeleteDialog key="delete" {...props} />, button(/Delete/)],
  ["exporting", <ExportDialog key="export" {...props} />, button(/Markdown/)],
])("what goes wrong with %s is read out, in words for people", async (_, dialog, press) => {
  know([]);
  show(recording(refusing).actions, dialog);
  if (press !== undefined) await userEvent.click(press());
  expect((await screen.findByRole("alert")).textContent).toBe("This is no longer there.");
});

it("what is wrong with a title stands at its field, in words for people", async () => {
  know([]);
  show(recording(refusing).actions, <RenameDialog {...props} />);
  await userEvent.type(screen.getByRole("textbox"), "New{Enter}");
  expect(await screen.findByText("This is no longer there.")).toBeTruthy();
});

function button(name: RegExp): () => HTMLElement {
  return () => screen.getAllByRole("button", { name })[0]!;
}
