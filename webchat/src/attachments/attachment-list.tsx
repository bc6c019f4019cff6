/** The files of one message: pictures, sound and films in place, everything else as a row to save or look into. */

import type { Attachment } from "@amtrio/client";
import { useMemo } from "react";
import styles from "./attachment-list.module.css";
import { AudioPlayer } from "./audio-player.tsx";
import { kindOf } from "./file-kind.ts";
import { FileRow } from "./file-row.tsx";
import { PictureGrid } from "./picture-grid.tsx";
import { VideoPlayer } from "./video-player.tsx";

export function AttachmentList({ attachments }: { readonly attachments: readonly Attachment[] }) {
  const pictures = useMemo(() => attachments.filter((each) => kindOf(each) === "picture"), [attachments]);
  const others = attachments.filter((each) => kindOf(each) !== "picture");
  if (attachments.length === 0) return null;
  return (
    <div className={styles["list"]}>
      {pictures.length > 0 && <PictureGrid pictures={pictures} />}
      {others.map((each) => (
        <Other key={each.attachment_id} attachment={each} />
      ))}
    </div>
  );
}

function Other({ attachment }: { readonly attachment: Attachment }) {
  switch (kindOf(attachment)) {
    case "audio":
      return <AudioPlayer attachment={attachment} />;
    case "video":
      return <VideoPlayer attachment={attachment} />;
    default:
      return <FileRow attachment={attachment} />;
  }
}
