/** The beginning of a text file, as it stands in it. Its own chunk. */

import type { Attachment } from "@amtrio/client";
import { useEffect, useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Spinner } from "../design/spinner.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions, type Actions } from "../engine/actions.ts";
import { isSealed } from "../engine/sealed-files.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { download, fileUrl } from "./file-url.ts";
import styles from "./text-preview.module.css";
import { words } from "./words.ts";

/** Some 4,000 lines of code: more is not looked at in a chat, and is slow to lay out on a phone. */
export const SHOWN_BYTES = 200_000;

interface TextPreviewProps {
  readonly attachment: Attachment;
  readonly onClose: () => void;
}

export default function TextPreview({ attachment, onClose }: TextPreviewProps) {
  const t = useWords(words);
  const actions = useActions();
  const [text, setText] = useState<string | null>();
  const [why, setWhy] = useState<"noPreview" | "tampered">("noPreview");
  const name = attachment.filename;

  useEffect(() => {
    const controller = new AbortController();
    beginningOf(actions, attachment, controller.signal).then(
      (beginning) => !controller.signal.aborted && setText(beginning),
      (error: unknown) => {
        if (controller.signal.aborted) return;
        if ((error as { code?: unknown }).code === "file_tampered") setWhy("tampered");
        setText(null);
      },
    );
    return () => controller.abort();
  }, [actions, attachment]);

  return (
    <Dialog
      title={name}
      className={styles["dialog"]}
      onClose={onClose}
      actions={
        <Button onClick={() => void download(actions, attachment).catch(notifyError)}>{t("download", { name })}</Button>
      }
    >
      {text === undefined && <Spinner label={t("loading", { name })} />}
      {text === null && <p role="alert">{t(why, { name })}</p>}
      {typeof text === "string" && (
        // It can be scrolled, so the keyboard must reach it.
        <pre className={styles["text"]} tabIndex={0}>
          <code>{text}</code>
        </pre>
      )}
      {typeof text === "string" && attachment.size > SHOWN_BYTES && (
        <p className={styles["note"]}>{t("begin", { size: bytes(SHOWN_BYTES) })}</p>
      )}
    </Dialog>
  );
}

async function beginningOf(actions: Actions, attachment: Attachment, signal: AbortSignal): Promise<string> {
  // Only as a whole it is known to be what was sent.
  if (isSealed(attachment)) return decoded(await (await actions.openFile(attachment)).slice(0, SHOWN_BYTES).arrayBuffer());
  const response = await fetch(await fileUrl(actions, attachment, "file"), { signal, headers: { Range: `bytes=0-${SHOWN_BYTES - 1}` } });
  if (!response.ok) throw new Error(`${response.status} instead of a file`);
  // A server that knows no ranges sends it all.
  return decoded((await response.arrayBuffer()).slice(0, SHOWN_BYTES));
}

function decoded(beginning: ArrayBuffer): string {
  return new TextDecoder().decode(beginning);
}
