/** Looking for messages: what is looked for stands in the address, what is found leads to its place. */

import { ArrowLeft, Search, SlidersHorizontal, X } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Link, useLocation, useSearch as useQueryString } from "wouter";
import { Button, IconButton } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useWords } from "../i18n/words.ts";
import { chatPlace, LIST } from "../shell/places.ts";
import { isFiltered, readCriteria, writeCriteria, type Criteria } from "./criteria.ts";
import { Filters } from "./filters.tsx";
import styles from "./find.module.css";
import { HitLink } from "./hit-link.tsx";
import { termsOf } from "./snippet.ts";
import { useSearch, type Found } from "./use-search.ts";
import { words } from "./words.ts";

export function Find() {
  const t = useWords(words);
  const [criteria, setCriteria] = useCriteria();
  const [hasFilters, setHasFilters] = useState(() => isFiltered(criteria));
  const found = useSearch(criteria);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const terms = termsOf(criteria.q);
  const filtered = isFiltered(criteria);

  useEffect(() => field.current?.focus(), []);

  /** Down and up walk from the field through what was found and back. */
  function walk(event: KeyboardEvent): void {
    if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.altKey) return;
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (at === -1 && document.activeElement !== field.current) return;
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) field.current?.focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  }

  return (
    <section className={styles["find"]} aria-label={t("title")} onKeyDown={walk}>
      <header className={styles["header"]}>
        <h1 className="visually-hidden">{t("title")}</h1>
        <div className={styles["row"]}>
          <Link
            href={criteria.conversationId === "" ? LIST : chatPlace(criteria.conversationId)}
            className={styles["back"]}
            aria-label={t("back")}
          >
            <ArrowLeft size={22} aria-hidden />
          </Link>
          <search className={styles["field"]}>
            <Search size={18} aria-hidden />
            <input
              ref={field}
              type="search"
              enterKeyHint="search"
              autoComplete="off"
              aria-label={t("field")}
              placeholder={t("placeholder")}
              value={criteria.q}
              onChange={(event) => setCriteria({ ...criteria, q: event.target.value })}
            />
            {criteria.q !== "" && (
              <IconButton
                label={t("clear")}
                icon={<X size={18} aria-hidden />}
                onClick={() => {
                  setCriteria({ ...criteria, q: "" });
                  field.current?.focus();
                }}
              />
            )}
          </search>
          <IconButton
            label={t(filtered ? "filtersOn" : "filters")}
            icon={<SlidersHorizontal size={20} aria-hidden />}
            aria-expanded={hasFilters}
            onClick={() => setHasFilters(!hasFilters)}
          />
        </div>
        {hasFilters && <Filters criteria={criteria} onChange={setCriteria} />}
      </header>
      <div className={styles["found"]}>
        <div className={styles["column"]}>
          {terms.length === 0 ? <Start /> : <Summary found={found} isFiltered={filtered} />}
          <ol ref={list} className={styles["hits"]} role="list" aria-label={t("results")}>
            {found.hits.map((hit) => (
              <li key={hit.message.message_id}>
                <HitLink hit={hit} query={criteria.q} terms={terms} />
              </li>
            ))}
          </ol>
          {found.more !== undefined && (
            <Button className={styles["more"]} onClick={found.more}>
              {t("more")}
            </Button>
          )}
          {terms.length > 0 && <p className={styles["note"]}>{t("encryptedNote")}</p>}
        </div>
      </div>
    </section>
  );
}

function Summary({ found, isFiltered: filtered }: { readonly found: Found; readonly isFiltered: boolean }): ReactNode {
  const t = useWords(words);
  const { hits, isSearching, isHereOnly, isComplete, error, more, again } = found;
  const hasNone = hits.length === 0 && !isSearching;
  return (
    <>
      <div className={styles["summary"]}>
        {/* Once it is settled, and not for every letter. */}
        <p role="status">
          {!isSearching && hits.length > 0 && t(more === undefined ? "count" : "atLeast", { n: hits.length })}
          {hasNone && t(filtered ? "noneFiltered" : "none")}
        </p>
        {isSearching && <Spinner label={t("searching")} />}
      </div>
      {error !== undefined && (
        <div className={styles["warning"]} role="alert">
          <span>{t("failed", { error })}</span>
          <Button onClick={again}>{t("again")}</Button>
        </div>
      )}
      {isHereOnly && error === undefined && <p className={styles["warning"]}>{t("hereOnly")}</p>}
      {!isComplete && <p className={styles["warning"]}>{t("incomplete")}</p>}
    </>
  );
}

function Start() {
  const t = useWords(words);
  return (
    <div className={styles["start"]}>
      <h2>{t("startTitle")}</h2>
      <p>{t("startText")}</p>
      <p>{t("encryptedNote")}</p>
    </div>
  );
}

// Browsers count the changes of an address, and refuse after a hundred in a few seconds.
const ADDRESS_MS = 300;

/** From the address, and back into it once the typing pauses: what is found can be bookmarked and come back to. */
function useCriteria(): [Criteria, (criteria: Criteria) => void] {
  const [, navigate] = useLocation();
  const address = useQueryString();
  const [criteria, setCriteria] = useState(() => readCriteria(new URLSearchParams(address)));
  const written = useRef(address);

  // It was changed from outside: a link to another search, or Back.
  if (written.current !== address) {
    written.current = address;
    setCriteria(readCriteria(new URLSearchParams(address)));
  }

  useEffect(() => {
    const wanted = writeCriteria(criteria);
    if (wanted === writeCriteria(readCriteria(new URLSearchParams(written.current)))) return undefined;
    const timer = setTimeout(() => {
      written.current = wanted;
      navigate(wanted === "" ? "/find" : `/find?${wanted}`, { replace: true });
    }, ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [criteria, navigate]);
  return [criteria, setCriteria];
}
