/** A file as a row: what it is, its name and size, save it, and look into it if it is text. */

import type { Attachment } from "@amtrio/client";
import {
  Download,
  Eye,
  File as FileIcon,
  FileArchive,
  FileSpreadsheet,
  FileText,
  FileType,
  FileVideo,
} from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { IconButton } from "../design/button.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { isCiphertext, isSealed } from "../engine/sealed-files.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { kindOf, type FileKind } from "./file-kind.ts";
import styles from "./file-row.module.css";
import { download } from "./file-url.ts";
import { words } from "./words.ts";

const TextPreview = lazy(() => import("./text-preview.tsx"));

const ICONS: Readonly<Partial<Record<FileKind, typeof FileIcon>>> = {
  text: FileText,
  archive: FileArchive,
  table: FileSpreadsheet,
  document: FileType,
  video: FileVideo,
};

interface FileRowProps {
  readonly attachment: Attachment;
  /** It can be shown in place of the row. */
  readonly onShow?: (() => void) | undefined;
}

export function FileRow({ attachment, onShow }: FileRowProps) {
  const t = useWords(words);
  const actions = useActions();
  const [isOpen, setIsOpen] = useState(false);
  const isMissing = isSealed(attachment) && attachment.isMissing === true;
  // Of one that nobody here can open, the server's word for its name says nothing.
  const name = isCiphertext(attachment) && !isSealed(attachment) ? t("encryptedFile") : attachment.filename;
  const kind = kindOf(attachment);
  const Icon = ICONS[kind] ?? FileIcon;
  return (
    <div className={styles["row"]} role="group" aria-label={name}>
      <span className={styles["icon"]} data-kind={kind}>
        <Icon size={22} aria-hidden />
      </span>
      <span className={styles["about"]}>
        <span className={styles["name"]} title={name}>
          {name}
        </span>
        <span className={styles["size"]}>{isMissing ? t("missing") : bytes(attachment.size)}</span>
      </span>
      {onShow !== undefined && (
        <IconButton label={t("show", { name })} icon={<Eye size={18} aria-hidden />} onClick={onShow} />
      )}
      {kind === "text" && !isMissing && (
        <IconButton
          label={t("preview", { name })}
          icon={<Eye size={18} aria-hidden />}
          onClick={() => setIsOpen(true)}
        />
      )}
      {!isMissing && (
        <IconButton
          label={t("download", { name })}
          icon={<Download size={18} aria-hidden />}
          onClick={() => void download(actions, attachment).catch(notifyError)}
        />
      )}
      {isOpen && (
        <Suspense>
          <TextPreview attachment={attachment} onClose={() => setIsOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}
