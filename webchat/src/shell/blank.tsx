/** What stands in the main pane when there is nothing to show: a word of what this is, and a way on. */

import { Compass, MessagesSquare, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Button } from "../design/button.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./blank.module.css";
import { openOverlay } from "./overlay.ts";
import { LIST } from "./places.ts";
import { words } from "./words.ts";

export function NotFound({ isChat = false }: { readonly isChat?: boolean }) {
  const t = useWords(words);
  return (
    <Blank icon={Compass} title={t(isChat ? "chatGoneTitle" : "notFoundTitle")} text={t(isChat ? "chatGoneText" : "notFoundText")}>
      <Link href={LIST} className={styles["way"]}>
        {t("toChats")}
      </Link>
    </Blank>
  );
}

/** Beside the list, before a chat was chosen. */
export function NoChatChosen() {
  const t = useWords(words);
  return (
    <Blank icon={MessagesSquare} title={t("chooseTitle")} text={t("chooseText")}>
      <Button onClick={() => openOverlay("new-chat")}>{t("newChat")}</Button>
    </Blank>
  );
}

export function Crashed() {
  const t = useWords(words);
  return (
    <Blank icon={TriangleAlert} title={t("crashTitle")} text={t("crashText")}>
      <Button look="primary" onClick={() => location.reload()}>
        {t("reload")}
      </Button>
    </Blank>
  );
}

interface BlankProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text: string;
  readonly children: ReactNode;
}

function Blank({ icon: Icon, title, text, children }: BlankProps) {
  return (
    <section className={styles["blank"]}>
      <span className={styles["icon"]}>
        <Icon size={28} aria-hidden />
      </span>
      <h1 className={styles["title"]}>{title}</h1>
      <p className={styles["text"]}>{text}</p>
      {children}
    </section>
  );
}
