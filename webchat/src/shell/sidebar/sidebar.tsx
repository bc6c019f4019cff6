/** The pane with everything one can open: conversations, agents, the own account. */

import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { Plus, Search } from "lucide-react";
import { Link } from "wouter";
import { Button, IconButton } from "../../design/button.tsx";
import { Spinner } from "../../design/spinner.tsx";
import { useChat } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import { useIsNarrow } from "../narrow.ts";
import { openOverlay } from "../overlay.ts";
import { findPlace, LIST } from "../places.ts";
import { ConversationList } from "./conversation-list.tsx";
import { Filters } from "./filters.tsx";
import { Footer } from "./footer.tsx";
import { listed, type Filter } from "./order.ts";
import { useRowMenu } from "./row-menu-state.ts";
import styles from "./sidebar.module.css";
import { words } from "./words.ts";

const Onboarding = lazy(async () => ({ default: (await import("../../welcome/onboarding.tsx")).Onboarding }));
const RowMenu = lazy(async () => ({ default: (await import("./row-menu.tsx")).RowMenu }));

/** `isKnown`: the server has said which conversations there are. */
export function Sidebar({ openId, isKnown }: { readonly openId: string | undefined; readonly isKnown: boolean }) {
  const t = useWords(words);
  const isNarrow = useIsNarrow();
  const [filter, setFilter] = useState<Filter>("all");
  const conversations = useChat((state) => state.conversations);
  const outgoing = useChat((state) => state.outgoing);
  const order = useMemo(() => listed(conversations, outgoing, filter, openId), [conversations, outgoing, filter, openId]);
  const hasNone = Object.keys(conversations).length === 0;
  // The heading of the page is that of the view beside it, if there is one.
  const Brand = isNarrow && !(hasNone && isKnown) ? "h1" : "p";
  return (
    <>
      <header className={styles["header"]}>
        <Brand className={styles["brand"]}>
          <Link href={LIST}>amtrio</Link>
        </Brand>
        <Link href={findPlace()} className={styles["tool"]} aria-label={t("find")} title={t("find")}>
          <Search size={20} aria-hidden />
        </Link>
        <IconButton label={t("newChat")} icon={<Plus size={22} aria-hidden />} onClick={() => openOverlay("new-chat")} />
      </header>
      {!hasNone && <Filters filter={filter} onChange={setFilter} />}
      {order.length > 0 ? (
        <ConversationList order={order} openId={openId} label={t("list")} />
      ) : (
        <Empty filter={filter} hasNone={hasNone} isKnown={isKnown} isNarrow={isNarrow} />
      )}
      <Footer />
      <Suspense>
        <WithMenu />
      </Suspense>
    </>
  );
}

interface EmptyProps {
  readonly filter: Filter;
  readonly hasNone: boolean;
  readonly isKnown: boolean;
  readonly isNarrow: boolean;
}

function Empty({ filter, hasNone, isKnown, isNarrow }: EmptyProps): ReactNode {
  const t = useWords(words);
  if (hasNone && isKnown && isNarrow) {
    return (
      <div className={styles["start"]}>
        <Suspense>
          <Onboarding />
        </Suspense>
      </div>
    );
  }
  return <div className={styles["empty"]}>{inside()}</div>;

  function inside(): ReactNode {
    if (hasNone && !isKnown) return <Spinner label={t("loading")} />;
    if (hasNone) return <Button onClick={() => openOverlay("new-chat")}>{t("newChat")}</Button>;
    if (filter === "all") return <p>{t("noneAll")}</p>;
    return <p>{t(filter === "unread" ? "noneUnread" : filter === "archived" ? "noneArchived" : "noneTagged")}</p>;
  }
}

/** The menu and its dialogs are a chunk of their own, asked for when first needed. */
function WithMenu(): ReactNode {
  const at = useRowMenu();
  const [wasAsked, setWasAsked] = useState(false);
  if (at !== null && !wasAsked) setWasAsked(true);
  return wasAsked && <RowMenu />;
}
