/** Go to any chat and do anything by typing a few letters of it. A chunk of its own, loaded when the page is idle. */

import { Search, Slash } from "lucide-react";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { useLocation } from "wouter";
import { isComposing } from "../../composer/keys.ts";
import { Avatar } from "../../design/avatar.tsx";
import { useClosedByBack } from "../../design/back.ts";
import { useWords } from "../../i18n/words.ts";
import { findPlace } from "../places.ts";
import { entriesFor, type Entry } from "./entries.ts";
import styles from "./palette.module.css";
import { recent, remember } from "./recent.ts";
import { useEntries } from "./use-entries.ts";
import { words } from "./words.ts";

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  const [, navigate] = useLocation();
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const entries = useEntries();
  const [lately] = useState(recent);
  const found = entriesFor(query, entries, lately);
  const wanted = query.trim();
  const find: Entry = {
    id: "find-query",
    kind: "find",
    label: t("findIn", { query: wanted }),
    run: () => navigate(findPlace(wanted)),
  };
  const shown = wanted === "" ? found : [...found, find];
  const activeAt = Math.min(active, shown.length - 1);
  useClosedByBack(leave);

  useEffect(() => {
    const opened = dialog.current!;
    opened.showModal();
    input.current!.focus();
    return () => opened.close();
  }, []);

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [activeAt, query]);

  /** Closing it gives the focus back to where it was, which taking it away would not. */
  function leave(): void {
    dialog.current!.close();
    onClose();
  }

  function run(entry: Entry | undefined): void {
    if (entry === undefined) return;
    if (entry.kind !== "find") remember(entry.id);
    // First: what the entry opens may want the focus.
    leave();
    entry.run();
  }

  function key(event: KeyboardEvent): void {
    if (isComposing(event.nativeEvent)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && shown.length > 0) {
      event.preventDefault();
      setActive((activeAt + step + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(shown[activeAt]);
    }
  }

  return (
    <dialog
      ref={dialog}
      className={styles["palette"]}
      aria-label={t("title")}
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) leave();
      }}
    >
      <div className={styles["inside"]}>
        <div className={styles["field"]}>
          <Search size={20} aria-hidden />
          <input
            ref={input}
            role="combobox"
            aria-label={t("title")}
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={shown.length > 0 ? `${listId}-${activeAt}` : undefined}
            aria-autocomplete="list"
            placeholder={t("placeholder")}
            autoComplete="off"
            spellCheck={false}
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setActive(0);
            }}
            onKeyDown={key}
          />
        </div>
        <ul ref={list} id={listId} className={styles["results"]} role="listbox" aria-label={t("results")}>
          {shown.map((entry, index) => (
            <li
              key={entry.id}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === activeAt}
              className={styles["entry"]}
              onMouseMove={() => setActive(index)}
              onClick={() => run(entry)}
            >
              <Picture entry={entry} />
              <span className={styles["label"]}>{entry.label}</span>
              {entry.kind !== "find" && <span className={styles["kind"]}>{t(entry.kind)}</span>}
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p className={styles["none"]}>{t("none")}</p>}
        <p className="visually-hidden" role="status">
          {wanted !== "" && t("count", { n: found.length })}
        </p>
        <p className={styles["help"]} aria-hidden>
          <kbd>↑</kbd>
          <kbd>↓</kbd> {t("move")} <kbd>↵</kbd> {t("open")} <kbd>esc</kbd> {t("close")}
        </p>
      </div>
    </dialog>
  );
}

function Picture({ entry }: { readonly entry: Entry }) {
  if (entry.agent !== undefined) return <Avatar id={entry.agent.id} name={entry.agent.name} size="small" />;
  const Icon = entry.kind === "find" ? Search : Slash;
  return (
    <span className={styles["icon"]} aria-hidden>
      <Icon size={16} />
    </span>
  );
}
