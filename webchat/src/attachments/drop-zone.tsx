/** Files let fall anywhere over a conversation become attachments of what is being written in it. */

import { Upload } from "lucide-react";
import { useState, type DragEvent, type ReactNode } from "react";
import { classes } from "../design/classes.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { useObstacle } from "./allowed.ts";
import styles from "./drop-zone.module.css";
import { addFiles, refuse } from "./tray.ts";
import { words } from "./words.ts";

interface DropZoneProps {
  readonly conversationId: string;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

/** For the mouse; the button in the composer does the same. */
export function DropZone({ conversationId, children, className }: DropZoneProps) {
  const t = useWords(words);
  const actions = useActions();
  const obstacle = useObstacle(conversationId);
  const [isOver, setIsOver] = useState(false);

  function drop(event: DragEvent): void {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    setIsOver(false);
    if (obstacle !== undefined) return refuse(conversationId, t(obstacle));
    const { files, folders } = sorted(event.dataTransfer);
    for (const name of folders) refuse(conversationId, t("folder", { name }));
    if (files.length > 0) addFiles(conversationId, files, actions);
  }

  return (
    <div
      className={classes(styles["zone"], className)}
      onDragEnter={(event) => {
        if (carriesFiles(event)) setIsOver(true);
      }}
      onDragOver={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = obstacle === undefined ? "copy" : "none";
      }}
      onDragLeave={(event) => {
        // Also comes for every element inside.
        const to = event.relatedTarget;
        if (!(to instanceof Node) || !event.currentTarget.contains(to)) setIsOver(false);
      }}
      onDrop={drop}
    >
      {children}
      {isOver && (
        <div className={styles["over"]}>
          <p>
            <Upload size={28} aria-hidden />
            {t(obstacle ?? "dropHere")}
          </p>
        </div>
      )}
    </div>
  );
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer.types.includes("Files");
}

/** A folder comes as a file that nobody can read. */
function sorted(transfer: DataTransfer): { files: File[]; folders: string[] } {
  const folders = new Set<string>();
  for (const item of transfer.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry?.() : null;
    if (entry?.isDirectory) folders.add(entry.name);
  }
  return { files: [...transfer.files].filter((file) => !folders.has(file.name)), folders: [...folders] };
}
