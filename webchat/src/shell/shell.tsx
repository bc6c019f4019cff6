/**
 * Everything once somebody is signed in: the list beside the view that the address names, or one of them on a phone.
 *
 * Knows the places of the app and who shows them. Knows nothing of messages.
 */

import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { ConnectionBanner } from "./connection-banner.tsx";
import { useFirstTitles } from "./new-chats.ts";
import { Overlays } from "./overlays.tsx";
import { PaneEdge } from "./pane-edge.tsx";
import { conversationAt, LIST } from "./places.ts";
import styles from "./shell.module.css";
import { Sidebar } from "./sidebar/sidebar.tsx";
import { useTitle } from "./title.ts";
import { useNotifications } from "./use-notifications.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { Views } from "./views.tsx";
import { words } from "./words.ts";

export function Shell() {
  const t = useWords(words);
  const [path] = useLocation();
  const nav = useRef<HTMLElement>(null);
  const main = useRef<HTMLElement>(null);
  // Until the server has spoken for the first time on this device, an empty list means nothing.
  const isKnown = useChat((state) => state.account !== undefined);

  useShortcuts();
  useTitle();
  useNotifications();
  useFirstTitles();

  // What had the focus may have gone with the view before. Views that want it have taken it by now.
  const shownPath = useRef(path);
  useEffect(() => {
    if (shownPath.current === path) return undefined;
    shownPath.current = path;
    const frame = requestAnimationFrame(() => {
      const focused = document.activeElement;
      const isLost = focused === null || focused === document.body || !focused.checkVisibility({ visibilityProperty: true });
      if (!isLost) return;
      const row = nav.current?.querySelector<HTMLElement>("[data-tabstop]");
      if (path === LIST && row) row.focus({ preventScroll: true });
      else main.current?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [path]);

  return (
    <div className={styles["shell"]} data-pane={path === LIST ? "list" : "main"}>
      <a
        className={styles["skip"]}
        href="#main"
        onClick={(event) => {
          // The address stays that of the view.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t("skip")}
      </a>
      <ConnectionBanner />
      <nav ref={nav} className={styles["list"]} aria-label={t("chats")}>
        <Sidebar openId={conversationAt(path)} isKnown={isKnown} />
        <PaneEdge />
      </nav>
      <main ref={main} id="main" className={styles["main"]} tabIndex={-1}>
        <Views isKnown={isKnown} />
      </main>
      <Overlays />
    </div>
  );
}
