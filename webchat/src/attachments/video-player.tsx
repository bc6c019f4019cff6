/** A film in a bubble, with the browser's own controls. */

import type { Attachment } from "@amtrio/client";
import { Button } from "../design/button.tsx";
import { useWords } from "../i18n/words.ts";
import { FileRow } from "./file-row.tsx";
import { useFileUrl } from "./file-url.ts";
import styles from "./video-player.module.css";
import { words } from "./words.ts";

export function VideoPlayer({ attachment }: { readonly attachment: Attachment }) {
  const t = useWords(words);
  const { url, isBroken, why, fail, retry } = useFileUrl(attachment, "file");
  const { filename: name, width, height } = attachment;
  if (isBroken) {
    return (
      <div className={styles["broken"]}>
        <p>
          {t(why === "tampered" ? why : "cannotPlay", { name })}{" "}
          <Button look="quiet" onClick={retry}>
            {t("tryAgain")}
          </Button>
        </p>
        <FileRow attachment={attachment} />
      </div>
    );
  }
  return (
    <video
      className={styles["video"]}
      style={{ aspectRatio: width && height ? `${width} / ${height}` : "16 / 9" }}
      src={url}
      controls
      playsInline
      preload="metadata"
      aria-label={name}
      onError={fail}
    />
  );
}
