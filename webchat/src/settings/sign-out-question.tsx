/** What is asked before one signs out, wherever that begins: what is lost with it. */

import { useActions } from "../engine/actions.ts";
import { useChat, type ChatState } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Confirm } from "./confirm.tsx";
import { words } from "./words.ts";

interface Losses {
  /** Messages that are not on the server yet. */
  readonly waiting: number;
  readonly hasKeys: boolean;
}

/** What is on this device alone. Undefined: nothing. */
export function useLosses(): Losses | undefined {
  const waiting = useChat(countWaiting);
  const hasKeys = useActions().keepsKeys();
  return waiting > 0 || hasKeys ? { waiting, hasKeys } : undefined;
}

/** The same in words. */
export function LossesText({ losses }: { readonly losses: Losses | undefined }) {
  const t = useWords(words);
  return (
    <>
      {losses !== undefined && losses.waiting > 0 && <p>{t("waitingMessages", { n: losses.waiting })}</p>}
      {losses?.hasKeys === true && <p>{t("keysGo")}</p>}
    </>
  );
}

export function SignOutQuestion({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  const actions = useActions();
  const losses = useLosses();
  return (
    <Confirm
      title={t("signOut")}
      action={losses === undefined ? t("signOut") : t("signOutAnyway")}
      onConfirm={() => actions.signOut()}
      onClose={onClose}
    >
      <p>{t("signOutText")}</p>
      <LossesText losses={losses} />
    </Confirm>
  );
}

function countWaiting(state: ChatState): number {
  return Object.values(state.outgoing).reduce((sum, messages) => sum + messages.length, 0);
}
