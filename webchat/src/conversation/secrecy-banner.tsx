/** The agent has another key than before: nothing is sent until a person has looked. */

import { ShieldAlert } from "lucide-react";
import { Button } from "../design/button.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./header.module.css";
import { openDialog } from "./opened.ts";
import { words } from "./words.ts";

export function SecrecyBanner({ conversationId, agentName }: { readonly conversationId: string; readonly agentName: string }) {
  const t = useWords(words);
  const isChanged = useChat((state) => state.secrecy[conversationId]?.kind === "changed");
  if (!isChanged) return null;
  return (
    <div className={styles["banner"]} role="alert">
      <ShieldAlert size={20} aria-hidden />
      <p>{t("keyChanged", { name: agentName })}</p>
      <Button onClick={() => openDialog({ kind: "encryption" })}>{t("review")}</Button>
    </div>
  );
}
