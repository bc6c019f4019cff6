/** The files beside what is being written: how far each has got, and the way out. */

import { File as FileIcon, RotateCw, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../design/button.tsx";
import { useChat } from "../engine/state.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./tray-view.module.css";
import { dismissRefusal, removeFile, retryFile, useTray, type TrayFile } from "./tray.ts";
import { words } from "./words.ts";

export function TrayView({ conversationId }: { readonly conversationId: string }) {
  const t = useWords(words);
  const { files, refusals } = useTray(conversationId);
  return (
    <>
      {refusals.map((reason) => (
        <p key={reason} className={styles["refusal"]} role="alert">
          <span>{reason}</span>
          <IconButton
            label={t("dismissRefusal")}
            icon={<X size={16} aria-hidden />}
            onClick={() => dismissRefusal(conversationId, reason)}
          />
        </p>
      ))}
      {files.length > 0 && (
        <ul className={styles["tray"]} aria-label={t("files")}>
          {files.map((each) => (
            <Chip key={each.id} conversationId={conversationId} each={each} />
          ))}
        </ul>
      )}
    </>
  );
}

function Chip({ conversationId, each }: { readonly conversationId: string; readonly each: TrayFile }) {
  const t = useWords(words);
  const name = each.file.name;
  const isOver = each.state === "uploaded" || each.state === "failed";
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // Where the row is wider than the screen, nobody would see why nothing can be sent.
    if (each.state === "failed") item.current!.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [each.state]);
  return (
    <li ref={item} className={styles["chip"]} data-state={each.state}>
      {each.previewUrl === undefined ? (
        <span className={styles["picture"]}>
          <FileIcon size={20} aria-hidden />
        </span>
      ) : (
        // Its name stands beside it.
        <img className={styles["picture"]} src={each.previewUrl} alt="" />
      )}
      <span className={styles["about"]}>
        <span className={styles["name"]} title={name}>
          {name}
        </span>
        <State each={each} />
      </span>
      {each.state === "failed" && (
        <IconButton
          label={t("retry", { name })}
          icon={<RotateCw size={16} aria-hidden />}
          onClick={() => retryFile(conversationId, each.id)}
        />
      )}
      <IconButton
        label={t(isOver ? "remove" : "cancel", { name })}
        icon={<X size={16} aria-hidden />}
        onClick={() => removeFile(conversationId, each.id)}
      />
    </li>
  );
}

function State({ each }: { readonly each: TrayFile }) {
  const t = useWords(words);
  const { file, state, sent, error, isCutOff } = each;
  const link = useChat((shown) => shown.link.kind);
  if (state === "failed") {
    const again = t(link === "online" ? "triesAgain" : "waiting");
    return <span className={styles["error"]}>{isCutOff ? again : (error ?? t("failed"))}</span>;
  }
  if (state === "waiting") return <span className={styles["size"]}>{t(link === "offline" ? "waiting" : "queued")}</span>;
  if (state === "uploaded") return <span className={styles["size"]}>{bytes(file.size)}</span>;
  const percent = file.size === 0 ? 100 : Math.floor((sent / file.size) * 100);
  return (
    <span
      className={styles["progress"]}
      role="progressbar"
      aria-label={t("uploading", { name: file.name })}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={{ inlineSize: `${percent}%` }} />
    </span>
  );
}
