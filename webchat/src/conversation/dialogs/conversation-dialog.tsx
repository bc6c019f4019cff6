/** The dialog that is open, if any. All of them come together when the first is needed. */

import type { ChatConversation } from "../../engine/state.ts";
import { closeDialog, type OpenDialog } from "../opened.ts";
import { AgentDialog } from "./agent-dialog.tsx";
import { AnotherDialog } from "./another-dialog.tsx";
import { DeleteDialog } from "./delete-dialog.tsx";
import { DetailsDialog } from "./details-dialog.tsx";
import { EditsDialog } from "./edits-dialog.tsx";
import { EncryptionDialog } from "./encryption-dialog.tsx";
import { ExportDialog } from "./export-dialog.tsx";
import { FilesDialog } from "./files-dialog.tsx";
import { MuteDialog } from "./mute-dialog.tsx";
import { RemoveDialog } from "./remove-dialog.tsx";
import { RenameDialog } from "./rename-dialog.tsx";
import { TagsDialog } from "./tags-dialog.tsx";

export interface ConversationDialogProps {
  readonly conversation: ChatConversation;
  readonly agentName: string;
  readonly onClose: () => void;
}

const OF_CONVERSATION = {
  agent: AgentDialog,
  another: AnotherDialog,
  delete: DeleteDialog,
  encryption: EncryptionDialog,
  export: ExportDialog,
  files: FilesDialog,
  mute: MuteDialog,
  rename: RenameDialog,
  tags: TagsDialog,
} as const;
const OF_MESSAGE = { details: DetailsDialog, edits: EditsDialog, remove: RemoveDialog } as const;

interface OpenProps extends Omit<ConversationDialogProps, "onClose"> {
  readonly dialog: OpenDialog;
}

export default function ConversationDialog({ dialog, conversation, agentName }: OpenProps) {
  if ("message" in dialog) {
    const Shown = OF_MESSAGE[dialog.kind];
    return <Shown message={dialog.message} agentName={agentName} onClose={closeDialog} />;
  }
  const Shown = OF_CONVERSATION[dialog.kind];
  return <Shown conversation={conversation} agentName={agentName} onClose={closeDialog} />;
}
