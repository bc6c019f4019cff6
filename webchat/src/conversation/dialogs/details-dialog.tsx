/** When a message was said, how far it has come, what it is called, and what an answer has used. */

import type { Message, Receipt } from "@amtrio/client";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { useChat } from "../../engine/state.ts";
import { fullTime } from "../../i18n/dates.ts";
import { language } from "../../i18n/language.ts";
import { useWords } from "../../i18n/words.ts";
import { deliveryOf } from "../delivery.ts";
import { Facts } from "./facts.tsx";
import { words } from "./words.ts";

export interface MessageDialogProps {
  readonly message: Message;
  readonly agentName: string;
  readonly onClose: () => void;
}

const NO_RECEIPTS: readonly Receipt[] = [];
const OUTCOMES = ["done", "stopped", "failed", "interrupted"] as const;

export function DetailsDialog({ message, agentName, onClose }: MessageDialogProps) {
  const t = useWords(words);
  const receipts = useChat((state) => state.conversations[message.conversation_id]?.receipts ?? NO_RECEIPTS);
  const isOwn = message.sender_type === "client";
  const { run } = message;
  const outcome = OUTCOMES.find((known) => known === run?.outcome);
  return (
    <Dialog title={t("details")} onClose={onClose} actions={<Button onClick={onClose}>{t("close")}</Button>}>
      <Facts
        facts={[
          [t("from"), isOwn ? t("you") : agentName],
          [t("sentAt"), moment(message.created_at)],
          [t("editedAt"), moment(message.edited_at)],
          [t("state"), isOwn && t(deliveryOf(message.conversation_seq, receipts), { name: agentName })],
          [t("startedAt"), moment(run?.started_at)],
          [t("endedAt"), moment(run?.ended_at)],
          [t("took"), run !== undefined && duration(run.started_at, run.ended_at)],
          [t("outcome"), outcome === undefined ? run?.outcome : t(outcome)],
          [t("usage"), run?.usage && <Usage key="usage" usage={run.usage} />],
          [t("encryption"), message.encryption?.algorithm],
          [t("place"), message.conversation_seq],
          [t("messageId"), <code key="id">{message.message_id}</code>],
          [t("runId"), run !== undefined && <code key="run">{run.run_id}</code>],
        ]}
      />
    </Dialog>
  );
}

/** As the agent says it: names of its own, mostly numbers. */
function Usage({ usage }: { readonly usage: Readonly<Record<string, unknown>> }) {
  const numbers = new Intl.NumberFormat(language());
  return (
    <ul>
      {Object.entries(usage).map(([name, value]) => (
        <li key={name}>
          {name.replaceAll("_", " ")}: {typeof value === "number" ? numbers.format(value) : JSON.stringify(value)}
        </li>
      ))}
    </ul>
  );
}

function moment(time: string | null | undefined): string | undefined {
  return time ? fullTime(new Date(time)) : undefined;
}

function duration(from: string | undefined, to: string | undefined): string | undefined {
  if (from === undefined || to === undefined) return undefined;
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  const unit = { style: "unit", unit: "second", unitDisplay: "long", maximumFractionDigits: seconds < 10 ? 1 : 0 } as const;
  return new Intl.NumberFormat(language(), unit).format(seconds);
}
