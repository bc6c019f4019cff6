/**
 * Where a person writes: text, files, voice; what is answered or changed; and how it is sent.
 *
 * What is typed lives here, so that typing draws nothing else anew. Knows nothing of the list of messages.
 */

import { Lock } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from "react";
import { MAX_ANSWER_CHARS } from "../answer/begun-answers.ts";
import { useObstacle } from "../attachments/allowed.ts";
import { TrayView } from "../attachments/tray-view.tsx";
import { addFiles, cancelSending, refuse, removeFile, sendWhenUploaded, useTray } from "../attachments/tray.ts";
import { words as attachmentWords } from "../attachments/words.ts";
import { intend, useIntent } from "../conversation/intent.ts";
import { notify, notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { useAsked } from "./asked.ts";
import { AttachButton } from "./attach-button.tsx";
import styles from "./composer.module.css";
import { lastEditable } from "./editable.ts";
import { EmojiButton } from "./emoji-button.tsx";
import { useFieldFocus } from "./field-focus.ts";
import { insertText, toggleMark, type Changeable } from "./field-text.ts";
import { useFoot } from "./foot.ts";
import { GrowingField } from "./growing-field.tsx";
import { IntentPreview } from "./intent-preview.tsx";
import { enterMeans, isBare, isComposing, isTouch, markOf } from "./keys.ts";
import { roomIn } from "./limits.ts";
import { IdentityNotice, LengthNotice, QuestionNotice, QueueNotice, WaitingNotice } from "./notices.tsx";
import { pasteOf } from "./pasting.ts";
import { RecordButton } from "./record-button.tsx";
import { SendControls } from "./send-controls.tsx";
import { cleaned, dispatch } from "./sending.ts";
import { SuggestionList } from "./suggestion-list.tsx";
import { useStop } from "./use-stop.ts";
import { useSuggestions } from "./use-suggestions.ts";
import { canRecord } from "./voice-recorder.ts";
import { usePreferred, waysFor, type Way } from "./ways.ts";
import { words } from "./words.ts";
import { keepEdit, useWriting } from "./writing.ts";

const VoiceNote = lazy(() => import("./voice-note.tsx"));
const NO_WORDS: readonly string[] = [];

interface ComposerProps {
  readonly conversationId: string;
}

/** Of another conversation it is another one: nothing leaks from chat to chat. */
export function Composer({ conversationId }: ComposerProps) {
  return <ComposerOf key={conversationId} conversationId={conversationId} />;
}

function ComposerOf({ conversationId }: ComposerProps) {
  const t = useWords(words);
  const tAttachments = useWords(attachmentWords);
  const actions = useActions();
  const section = useRef<HTMLElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const intent = useIntent(conversationId);
  const edited = intent?.kind === "edit" ? intent.message : undefined;
  const writing = useWriting(conversationId, edited);
  const tray = useTray(conversationId);
  const noFiles = useObstacle(conversationId);
  const agentId = useChat((state) => state.conversations[conversationId]?.agent_id);
  const agent = useChat((state) => (agentId === undefined ? undefined : state.agents[agentId]));
  const agentName = agent?.name ?? agentId ?? "";
  const secrecy = useChat((state) => state.secrecy[conversationId]?.kind);
  const { runId, stopping, stop } = useStop(conversationId, () => isEmpty && intent === undefined && recording === undefined);
  const asked = useAsked(conversationId, field);
  const preferred = usePreferred();
  const [caret, setCaret] = useState<number>();
  const [recording, setRecording] = useState<"held" | "tapped">();
  const suggestions = useSuggestions(field, writing.text, caret, changed, agentId);

  const { text } = writing;
  const isEncrypted = secrecy === "on";
  const isWaiting = tray.parcel !== undefined && edited === undefined;
  const hasFiles = edited === undefined && tray.files.length > 0;
  const isEmpty = cleaned(text) === "" && !hasFiles;
  const room = roomIn(text, isEncrypted, edited === undefined ? tray.files.map((each) => each.file.name) : undefined);
  const isMoreThanText = hasFiles || intent !== undefined;
  const ways = waysFor(
    {
      isEditing: edited !== undefined,
      isAnswering: asked?.isAnswered ?? false,
      isRunning: runId !== undefined,
      supports: agent?.supports ?? NO_WORDS,
      isMoreThanText,
      isEncrypted,
    },
    preferred,
  );
  const isAnswering = ways[0] === "answer";
  const isLongAnswer = isAnswering && cleaned(text).length > MAX_ANSWER_CHARS;
  const label = t(isAnswering ? "answerName" : "message", { name: agentName });
  const obstacle = obstacleOf();
  const isSuggesting = suggestions.items.length > 0;
  const mayRecord = isEmpty && edited === undefined && noFiles === undefined && canRecord();

  useFoot(section);
  useFieldFocus(field, conversationId, tray.files.length);
  const delivered = useRef(tray.delivered);
  useEffect(() => {
    if (tray.delivered === delivered.current) return;
    delivered.current = tray.delivered;
    writing.clear();
    // oxlint-disable-next-line react/exhaustive-deps -- once for each delivery
  }, [tray.delivered]);

  /** Why nothing can be sent now. */
  function obstacleOf(): string | undefined {
    if (secrecy === "changed") return t("identityChanged");
    if (room.state === "over") return t("tooLong", { over: bytes(-room.left), limit: bytes(room.limit) });
    if (isLongAnswer) return t("answerTooLong", { n: MAX_ANSWER_CHARS });
    if (isWaiting) return t("waitsForFiles");
    const hasFailed = hasFiles && tray.files.some((each) => each.state === "failed" && !each.isCutOff);
    return hasFailed ? t("failedFiles") : undefined;
  }

  function send(way: Way | undefined): void {
    if (way === undefined || isEmpty || obstacle !== undefined) return;
    const hasLeft = dispatch(way, { conversationId, text, intent, runId, question: asked?.message }, actions);
    if (hasLeft && way !== "save") writing.clear();
    field.current?.focus();
  }

  function cancelIntent(): void {
    if (edited !== undefined) keepEdit(edited.message_id, undefined);
    intend(conversationId, undefined);
    field.current?.focus();
  }

  function press(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (suggestions.press(event)) return;
    const native = event.nativeEvent;
    const enter = enterMeans(native, isTouch());
    const mark = markOf(native);
    if (enter !== undefined) send(enter === "send" ? ways[0] : (ways[1] ?? ways[0]));
    else if (mark !== undefined) toggleMark(target(), mark);
    else if (event.key === "Escape" && intent !== undefined && !isComposing(native)) cancelIntent();
    else if (isBare(native, "ArrowUp") && text === "" && edited === undefined) {
      const message = lastEditable(conversationId);
      if (message === undefined) return;
      intend(conversationId, { kind: "edit", message });
    } else return;
    event.preventDefault();
  }

  function paste(event: ClipboardEvent): void {
    const pasted = pasteOf(event.clipboardData);
    if (pasted === undefined || edited !== undefined || isWaiting) return;
    if (pasted.kind === "long" && noFiles !== undefined) return;
    event.preventDefault();
    if (noFiles !== undefined) return refuse(conversationId, tAttachments(noFiles));
    if (pasted.kind === "files") return void addFiles(conversationId, pasted.files, actions);
    const id = attachText(pasted.text, t("pastedName"));
    const inline = (): void => {
      removeFile(conversationId, id);
      insertAtCaret(pasted.text);
    };
    notify({ text: t("pasted"), action: { label: t("pasteInline"), run: inline } });
  }

  function attachText(content: string, name: string): string {
    return addFiles(conversationId, [new File([content], name, { type: "text/plain" })], actions)[0]!;
  }

  function changed(written: HTMLTextAreaElement): void {
    writing.write(written.value);
    noteCaret(written);
    if (edited === undefined && written.value !== "") actions.typing(conversationId);
  }

  function noteCaret({ selectionStart, selectionEnd }: HTMLTextAreaElement): void {
    setCaret(selectionStart === selectionEnd ? selectionStart : undefined);
  }

  function target(): Changeable {
    return { field: field.current!, changed };
  }

  function insertAtCaret(inserted: string): void {
    // Undone from a notice after the chat was left.
    if (field.current === null) return;
    const { selectionStart, selectionEnd } = field.current;
    insertText(target(), inserted, selectionStart, selectionEnd);
  }

  return (
    <section ref={section} className={styles["composer"]} aria-label={t("composer")}>
      <div className={styles["inside"]}>
        {secrecy === "changed" && <IdentityNotice />}
        {intent !== undefined && <IntentPreview intent={intent} onCancel={cancelIntent} />}
        {edited === undefined && <TrayView conversationId={conversationId} />}
        {runId !== undefined && <QueueNotice conversationId={conversationId} agentName={agentName} />}
        {asked !== undefined && !isMoreThanText && !isEncrypted && (
          <QuestionNotice agentName={agentName} isAnswered={isAnswering} isTooLong={isLongAnswer} onChoose={asked.choose} />
        )}
        {isWaiting && <WaitingNotice onCancel={() => cancelSending(conversationId)} />}
        <LengthNotice
          room={room}
          onAttach={
            noFiles !== undefined || edited !== undefined
              ? undefined
              : () => {
                  attachText(text, t("messageName"));
                  writing.clear();
                }
          }
        />
        <div className={styles["row"]} data-crowded={(ways.length > 1 && !isEmpty) || undefined} hidden={recording !== undefined}>
          {edited === undefined && <AttachButton conversationId={conversationId} />}
          <div className={styles["box"]}>
            {isEncrypted && (
              <span className={styles["lock"]} title={t("encrypted")}>
                <Lock size={16} aria-hidden />
                <span className="visually-hidden">{t("encrypted")}</span>
              </span>
            )}
            <GrowingField
              fieldRef={field}
              value={text}
              placeholder={label}
              aria-label={label}
              aria-autocomplete="list"
              aria-haspopup="listbox"
              aria-controls={isSuggesting ? suggestions.listId : undefined}
              aria-activedescendant={isSuggesting ? suggestions.optionId(suggestions.active) : undefined}
              readOnly={isWaiting}
              enterKeyHint={isTouch() ? "enter" : "send"}
              autoCapitalize="sentences"
              onChange={(event) => changed(event.target)}
              onSelect={(event) => noteCaret(event.currentTarget)}
              onKeyDown={press}
              onPaste={paste}
              onBlur={() => {
                setCaret(undefined);
                writing.leave();
              }}
            />
            <EmojiButton onPick={insertAtCaret} />
          </div>
          {mayRecord && (
            <RecordButton
              onPress={(how) => setRecording((before) => before ?? how)}
              onRelease={() => setRecording((before) => (before === "held" ? "tapped" : before))}
            />
          )}
          <SendControls
            ways={ways}
            isEmpty={isEmpty}
            obstacle={obstacle}
            isRunning={runId !== undefined && edited === undefined}
            isSpare={mayRecord}
            stopping={stopping}
            onSend={send}
            onStop={() => {
              void stop().catch(notifyError);
              // The button goes, and the focus with it. A finger would get a keyboard that nobody asked for.
              if (!isTouch()) field.current?.focus();
            }}
          />
        </div>
        {stopping === "unresponsive" && (
          <p className={styles["note"]} role="status">
            {t("unresponsive", { name: agentName })}
          </p>
        )}
        {recording !== undefined && (
          <Suspense>
            <VoiceNote
              isHeld={recording === "held"}
              onEnd={endRecording}
              onDone={(file) => {
                addFiles(conversationId, [file], actions);
                const replyTo = intent?.kind === "reply" ? intent.message.message_id : undefined;
                sendWhenUploaded(conversationId, { content: "", replyTo }, actions);
                endRecording();
              }}
            />
          </Suspense>
        )}
        <SuggestionList suggestions={suggestions} />
      </div>
    </section>
  );

  function endRecording(): void {
    setRecording(undefined);
    // Not before the row is there again.
    if (!isTouch()) requestAnimationFrame(() => field.current?.focus());
  }
}
