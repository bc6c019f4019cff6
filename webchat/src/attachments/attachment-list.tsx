/**
 * The files of one message: pictures, sound and films in place, everything else as a row to save or look into.
 *
 * Of the server's files a small copy is shown, or a piece. Encrypted ones have to be fetched whole: large ones wait until
 * somebody wants to see them.
 */

import type { Attachment } from "@amtrio/client";
import { useMemo, useState } from "react";
import { isSealed } from "../engine/sealed-files.ts";
import styles from "./attachment-list.module.css";
import { AudioPlayer } from "./audio-player.tsx";
import { kindOf } from "./file-kind.ts";
import { FileRow } from "./file-row.tsx";
import { PictureGrid } from "./picture-grid.tsx";
import { VideoPlayer } from "./video-player.tsx";

// A photo of a phone and a voice note of some minutes are below it, and a second or two on a slow line.
const FETCHED_UNASKED_BYTES = 8_000_000;

export function AttachmentList({ attachments }: { readonly attachments: readonly Attachment[] }) {
  const pictures = useMemo(() => attachments.filter((each) => kindOf(each) === "picture" && isShownUnasked(each)), [attachments]);
  const others = attachments.filter((each) => !pictures.includes(each));
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

function isShownUnasked(attachment: Attachment): boolean {
  return !isSealed(attachment) || (!attachment.isMissing && attachment.size <= FETCHED_UNASKED_BYTES);
}

function Other({ attachment }: { readonly attachment: Attachment }) {
  const [isWanted, setIsWanted] = useState(isShownUnasked(attachment));
  const kind = kindOf(attachment);
  if (isSealed(attachment) && attachment.isMissing) return <FileRow attachment={attachment} />;
  if (!isWanted && (kind === "picture" || kind === "audio" || kind === "video")) {
    return <FileRow attachment={attachment} onShow={() => setIsWanted(true)} />;
  }
  switch (kind) {
    case "picture":
      return <PictureGrid pictures={[attachment]} />;
    case "audio":
      return <AudioPlayer attachment={attachment} />;
    case "video":
      return <VideoPlayer attachment={attachment} />;
    default:
      return <FileRow attachment={attachment} />;
  }
}
