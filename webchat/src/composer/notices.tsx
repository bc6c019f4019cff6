/** Lines over the field that say what stands in the way, or waits: length, identity, files, earlier messages. */

import type { Message } from "@amtrio/client";
import { ShieldAlert } from "lucide-react";
import { useMemo } from "react";
import { Link } from "wouter";
import { MAX_ANSWER_CHARS } from "../answer/begun-answers.ts";
import { useMessageCommands } from "../conversation/message-commands.ts";
import { Button } from "../design/button.tsx";
import { useChat } from "../engine/state.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { chatPlace } from "../shell/places.ts";
import { isTouch } from "./keys.ts";
import type { Room } from "./limits.ts";
import styles from "./notices.module.css";
import { words } from "./words.ts";

export function IdentityNotice() {
  const t = useWords(words);
  return (
    <p className={styles["notice"]} role="alert">
      <ShieldAlert size={18} aria-hidden />
      <span>{t("identityChanged")}</span>
    </p>
  );
}

interface LengthNoticeProps {
  readonly room: Room;
  /** Undefined: files may not be sent here. */
  readonly onAttach: (() => void) | undefined;
}

export function LengthNotice({ room, onAttach }: LengthNoticeProps) {
  const t = useWords(words);
  if (room.state === "enough") return null;
  if (room.state === "near") return <p className={styles["quiet"]}>{t("bytesLeft", { left: bytes(room.left) })}</p>;
  return (
    <div className={styles["notice"]}>
      <p>
        {/* Said once: it stays the same with every key. */}
        <span role="alert">{t("overLimit", { limit: bytes(room.limit) })}</span> {t("tooMuch", { over: bytes(-room.left) })}
      </p>
      {onAttach !== undefined && (
        <Button className={styles["action"]} onClick={onAttach}>
          {t("attachInstead")}
        </Button>
      )}
    </div>
  );
}

/** Messages that wait until the answer before is over: that may have pushed them far out of sight, with their Withdraw. */
export function QueueNotice({ conversationId, agentName }: { readonly conversationId: string; readonly agentName: string }) {
  const t = useWords(words);
  const messages = useChat((state) => state.timelines[conversationId]?.messages);
  const commands = useMessageCommands();
  const queued = useMemo(() => messages?.filter(isQueued) ?? [], [messages]);
  if (queued[0] === undefined) return null;
  return (
    <div className={styles["waiting"]}>
      <p>{t("queuedMessages", { n: queued.length, name: agentName })}</p>
      <span className={styles["ways"]}>
        <Link ref={leavingTheFocus} className={styles["link"]} href={chatPlace(conversationId, queued[0].message_id)}>
          {t("showQueued")}
        </Link>
        {queued.length > 1 && (
          <Button ref={leavingTheFocus} look="quiet" onClick={() => void commands.withdraw(...queued)}>
            {t("withdrawQueued")}
          </Button>
        )}
      </span>
    </div>
  );
}

/** For a `ref`: if it goes while it has the focus, that goes to the field, where one writes, and not to the page. */
function leavingTheFocus(way: HTMLElement | null): () => void {
  return () => {
    // On touch it would raise the keyboard.
    if (document.activeElement === way && !isTouch()) way!.closest("section")!.querySelector("textarea")?.focus();
  };
}

function isQueued({ queued, deleted }: Message): boolean {
  return queued === true && !deleted;
}

interface QuestionNoticeProps {
  readonly agentName: string;
  readonly isAnswered: boolean;
  readonly isTooLong: boolean;
  readonly onChoose: (isAnswered: boolean) => void;
}

/** Where what is written goes while a question is open, and the other way. */
export function QuestionNotice({ agentName, isAnswered, isTooLong, onChoose }: QuestionNoticeProps) {
  const t = useWords(words);
  return (
    <div className={styles["waiting"]}>
      {isTooLong ? (
        <p role="alert">{t("answerTooLong", { n: MAX_ANSWER_CHARS })}</p>
      ) : (
        <p role="status">{t(isAnswered ? "answersQuestion" : "questionIsOpen", { name: agentName })}</p>
      )}
      <Button look="quiet" onClick={() => onChoose(!isAnswered)}>
        {t(isAnswered ? "messageInstead" : "answerInstead")}
      </Button>
    </div>
  );
}

export function WaitingNotice({ onCancel }: { readonly onCancel: () => void }) {
  const t = useWords(words);
  return (
    <div className={styles["waiting"]}>
      <p role="status">{t("waitsForFiles")}</p>
      <Button look="quiet" onClick={onCancel}>
        {t("cancel")}
      </Button>
    </div>
  );
}
