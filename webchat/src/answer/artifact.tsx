/** A file that an agent made, where it made it. */

import type { Attachment, PartView } from "@amtrio/client";
import { File } from "lucide-react";
import { AttachmentList } from "../attachments/attachment-list.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./answer.module.css";
import { textOf } from "./meta.ts";
import { words } from "./words.ts";

interface ArtifactProps {
  readonly part: PartView;
  readonly attachments: readonly Attachment[];
  readonly isLive: boolean;
}

export function Artifact({ part, attachments, isLive }: ArtifactProps) {
  const t = useWords(words);
  const id = textOf(part.meta, "attachment_id");
  const attachment = attachments.find((each) => each.attachment_id === id);
  if (attachment !== undefined) return <AttachmentList attachments={[attachment]} />;
  return (
    <p className={styles["artifact"]}>
      <File size={16} aria-hidden />
      <span>{textOf(part.meta, "filename") ?? t("file")}</span>
      {/* Of a live run nobody has seen the file itself yet: it comes with the message. */}
      {!isLive && <span className={styles["aside"]}>{t("fileMissing")}</span>}
    </p>
  );
}
