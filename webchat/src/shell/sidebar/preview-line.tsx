/** The second line of a row, drawn anew by itself: it changes far more often than the rest. */

import { CircleAlert, CircleQuestionMark, Clock, Lock, Paperclip } from "lucide-react";
import type { ReactNode } from "react";
import { useWaitingQuestion } from "../../answer/waiting-question.ts";
import { classes } from "../../design/classes.ts";
import { useChat } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import styles from "./preview-line.module.css";
import { previewOf, type Preview } from "./preview.ts";
import { useIsTyping } from "./typing.ts";
import { words } from "./words.ts";

export function PreviewLine({ id, isOpen }: { readonly id: string; readonly isOpen: boolean }) {
  const isTyping = useIsTyping(id);
  const isAnswering = useChat((state) => (state.runs[id]?.length ?? 0) > 0);
  const isAsking = useWaitingQuestion(id) !== undefined;
  const draft = useChat((state) => state.drafts[id]);
  const outgoing = useChat((state) => state.outgoing[id]?.at(-1));
  const last = useChat((state) => state.conversations[id]?.last ?? null);
  const plain = useChat((state) => (last === null ? undefined : state.plain[last.message_id]));
  const preview = previewOf({ isOpen, isTyping, isAnswering, isAsking, draft, outgoing, last, plain });
  return (
    <span className={styles["line"]} data-kind={preview.kind}>
      <Said preview={preview} />
    </span>
  );
}

function Said({ preview }: { readonly preview: Preview }): ReactNode {
  const t = useWords(words);
  switch (preview.kind) {
    case "writing":
    case "answering":
      return (
        <>
          <span className={styles["pulse"]} aria-hidden />
          {t(preview.kind)}
        </>
      );
    case "asking":
      return (
        <>
          <CircleQuestionMark size={14} aria-hidden /> {t("asking")}
        </>
      );
    case "empty":
      return t("empty");
    case "draft":
      return <Labelled label={t("draft")} text={preview.text} look="strong" />;
    case "failed":
      return <Labelled icon={<CircleAlert size={14} aria-hidden />} label={t("notSent")} text={preview.text} look="bad" />;
    case "waiting":
      return (
        <Labelled icon={<Clock size={14} aria-hidden />} label={t("waiting")} text={preview.text} look="hidden" />
      );
    case "mine":
      return <Labelled label={t("you")} text={preview.text} />;
    case "theirs":
      return preview.text;
    case "locked":
      return <Iconed icon={<Lock size={14} aria-hidden />} you={preview.isMine} text={t("locked")} />;
    case "files":
      return <Iconed icon={<Paperclip size={14} aria-hidden />} you={preview.isMine} text={t("files")} />;
  }
}

interface LabelledProps {
  readonly label: string;
  readonly text: string;
  readonly icon?: ReactNode;
  readonly look?: "plain" | "strong" | "bad" | "hidden";
}

function Labelled({ label, text, icon, look = "plain" }: LabelledProps) {
  return (
    <>
      {icon}
      <span className={look === "hidden" ? "visually-hidden" : classes(styles[look])}>{label}</span> <bdi>{text}</bdi>
    </>
  );
}

function Iconed({ icon, you, text }: { readonly icon: ReactNode; readonly you: boolean; readonly text: string }) {
  const t = useWords(words);
  return (
    <>
      {you && `${t("you")} `}
      {icon} {text}
    </>
  );
}
