/** Looking in two places: on this device at once, on the server as soon as the typing pauses. */

import { useEffect, useMemo, useState } from "react";
import { useActions } from "../engine/actions.ts";
import { chat, useChat } from "../engine/state.ts";
import { problemOf } from "../i18n/problem.ts";
import type { SearchPage } from "@amtrio/client";
import { passes, queryOf, writeCriteria, type Criteria } from "./criteria.ts";
import { hitsOf, merged, stillFitting, textOf, type Hit } from "./hits.ts";
import { saysAll, termsOf } from "./snippet.ts";

// Between two keys of most; each pause costs the server a query.
const PAUSE_MS = 200;
// Pages that are asked for in a row while filters that the server does not know leave nothing of them.
const PAGES_AT_MOST = 10;
// More than one reads through; "more" doubles it.
const HERE_AT_MOST = 100;

export interface Found {
  readonly hits: readonly Hit[];
  /** Where it is being looked at the moment. */
  readonly isSearching: boolean;
  /** The server was not asked, or did not answer: what is shown comes from this device alone. */
  readonly isHereOnly: boolean;
  /** False: the server has not read everything yet. */
  readonly isComplete: boolean;
  readonly error: string | undefined;
  readonly more: (() => void) | undefined;
  readonly again: () => void;
}

interface OfServer {
  readonly key: string;
  readonly hits: readonly Hit[];
  readonly next: string | null;
  readonly isComplete: boolean;
  readonly error: string | undefined;
}

interface OfDevice {
  readonly key: string;
  readonly hits: readonly Hit[];
  readonly hasMore: boolean;
}

const NOTHING_THERE: OfServer = { key: "", hits: [], next: null, isComplete: true, error: undefined };
const NOTHING_HERE: OfDevice = { key: "", hits: [], hasMore: false };

export function useSearch(criteria: Criteria): Found {
  const actions = useActions();
  const isOnline = useChat((state) => state.link.kind === "online");
  const [here, setHere] = useState(NOTHING_HERE);
  const [server, setServer] = useState(NOTHING_THERE);
  const [limit, setLimit] = useState(HERE_AT_MOST);
  const [cursor, setCursor] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  const key = writeCriteria(criteria);
  const terms = useMemo(() => termsOf(criteria.q), [criteria.q]);
  const isBlank = terms.length === 0;

  const [asked, setAsked] = useState(key);
  if (asked !== key) {
    setAsked(key);
    setLimit(HERE_AT_MOST);
    setCursor(undefined);
  }

  useEffect(() => {
    if (isBlank) return setHere(NOTHING_HERE);
    let isCurrent = true;
    // It knows words only; that phrases stand as they are is looked at below.
    const found = actions.searchHere(terms.join(" "), limit);
    found.then(
      (messages) => {
        if (!isCurrent) return;
        const { conversations, plain } = chat.getState();
        const fit = messages.filter(
          (each) => !each.deleted && saysAll(textOf(each, plain), terms) && passes(each, criteria, conversations),
        );
        setHere({ key, hits: fit.map((message) => ({ message })), hasMore: messages.length === limit });
      },
      // A database that fails leaves the server, which is asked anyway.
      () => isCurrent && setHere({ ...NOTHING_HERE, key }),
    );
    return () => {
      isCurrent = false;
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [key, isBlank, limit, actions]);

  useEffect(() => {
    if (isBlank) return setServer(NOTHING_THERE);
    if (!isOnline) return undefined;
    const abort = new AbortController();
    async function nextHits(signal: AbortSignal): Promise<{ page: SearchPage; found: Hit[] }> {
      let at = cursor;
      for (let pages = 1; ; pages += 1) {
        const page = await actions.search(queryOf(criteria, at), signal);
        const { conversations } = chat.getState();
        const found = hitsOf(page).filter(({ message }) => passes(message, criteria, conversations));
        if (found.length > 0 || page.next === null || pages === PAGES_AT_MOST) return { page, found };
        at = page.next;
      }
    }
    async function ask(): Promise<void> {
      try {
        const { page, found } = await nextHits(abort.signal);
        if (abort.signal.aborted) return;
        setServer((before) => ({
          key,
          hits: cursor === undefined ? found : merged(before.hits, found),
          next: page.next,
          isComplete: page.is_complete,
          error: undefined,
        }));
      } catch (error) {
        if (abort.signal.aborted) return;
        setServer((before) => ({ ...before, key, error: problemOf(error) }));
      }
    }
    const timer = setTimeout(() => void ask(), cursor === undefined ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [key, isBlank, isOnline, cursor, attempt, actions]);

  const hits = useMemo(() => {
    const ofServer = server.key === key ? server.hits : stillFitting(server.hits, terms);
    return isBlank ? [] : merged(here.hits, ofServer);
  }, [here, server, key, terms, isBlank]);

  const isAnswered = server.key === key;
  const hasMore = isAnswered && (server.next !== null || here.hasMore);
  return {
    hits,
    isSearching: !isBlank && (here.key !== key || (isOnline && !isAnswered)),
    isHereOnly: !isBlank && (!isOnline || (isAnswered && server.error !== undefined)),
    isComplete: !isAnswered || server.isComplete,
    error: isAnswered ? server.error : undefined,
    more: hasMore
      ? () => {
          setLimit((before) => before * 2);
          if (server.next !== null) setCursor(server.next);
        }
      : undefined,
    again: () => setAttempt((before) => before + 1),
  };
}
