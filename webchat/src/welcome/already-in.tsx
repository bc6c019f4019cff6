/** An invitation that was opened by somebody who is signed in: it is for one who is not. */

import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Confirm } from "../settings/confirm.tsx";
import { LossesText, useLosses } from "../settings/sign-out-question.tsx";
import { showInvitation } from "./invitation.ts";
import { words } from "./words.ts";

interface AlreadyInProps {
  readonly invitation: string;
  readonly onClose: () => void;
}

export function AlreadyIn({ invitation, onClose }: AlreadyInProps) {
  const t = useWords(words);
  const actions = useActions();
  const name = useChat((state) => state.self?.username ?? "");
  const losses = useLosses();

  async function goOn(): Promise<void> {
    await actions.signOut();
    // For the first page, which is there by now or comes soon.
    showInvitation(invitation);
  }

  return (
    <Confirm
      title={t("alreadyIn", { name })}
      action={t("signOutAndJoin")}
      look={losses === undefined ? "primary" : "danger"}
      onConfirm={goOn}
      onClose={onClose}
    >
      <p>{t("alreadyInText")}</p>
      <LossesText losses={losses} />
    </Confirm>
  );
}
