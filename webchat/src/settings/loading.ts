/** Lists that are asked for when a view opens: whole, or page by page. */

import { useCallback, useEffect, useState } from "react";

export interface Loaded<Data> {
  /** The last that came; it stays while it is asked for again. */
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  reload(): void;
  /** What was changed here is known without asking. */
  change(change: (data: Data) => Data): void;
}

interface Answer<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  /** What it answers. */
  readonly question: unknown;
}

/**
 * Ask once for each `load`, and again when told to; what an older question brings late is left alone.
 *
 * `load` is to be kept (`useCallback`) as long as it asks the same.
 */
export function useLoaded<Data>(load: (signal: AbortSignal) => Promise<Data>): Loaded<Data> {
  const [answer, setAnswer] = useState<Answer<Data>>({ data: undefined, error: undefined, question: undefined });
  const [again, setAgain] = useState<{ readonly load: typeof load }>({ load });
  // Another `load` is another question by itself; `again` is one to the same.
  const question = again.load === load ? again : load;
  useEffect(() => {
    const left = new AbortController();
    const ask = typeof question === "function" ? question : question.load;
    ask(left.signal).then(
      (data) => {
        if (!left.signal.aborted) setAnswer({ data, error: undefined, question });
      },
      (error: unknown) => {
        if (!left.signal.aborted) setAnswer(({ data }) => ({ data, error, question }));
      },
    );
    return () => left.abort();
  }, [question]);
  const reload = useCallback(() => setAgain({ load }), [load]);
  const change = useCallback((how: (data: Data) => Data) => {
    setAnswer((now) => (now.data === undefined ? now : { ...now, data: how(now.data) }));
  }, []);
  const isLoading = answer.question !== question;
  return { data: answer.data, error: isLoading ? undefined : answer.error, isLoading, reload, change };
}

export interface Page<Item, Cursor> {
  readonly items: readonly Item[];
  /** Asks for the page after it; null on the last. */
  readonly next: Cursor | null;
}

export interface Pages<Item> extends Omit<Loaded<readonly Item[]>, "change"> {
  /** Undefined: there is no more. */
  readonly more: (() => void) | undefined;
  change(change: (items: readonly Item[]) => readonly Item[]): void;
}

export function usePages<Item, Cursor>(
  load: (cursor: Cursor | undefined, signal: AbortSignal) => Promise<Page<Item, Cursor>>,
): Pages<Item> {
  const loadFirst = useCallback(
    // Each list has a name of its own, so that a page of another one that comes late is not put under it.
    async (signal: AbortSignal) => ({ ...(await load(undefined, signal)), list: Symbol("list") }),
    [load],
  );
  const { data, change, ...first } = useLoaded(loadFirst);
  const [further, setFurther] = useState<{ list?: symbol; isLoading: boolean; error?: unknown }>({ isLoading: false });
  const isFurther = data !== undefined && further.list === data.list;
  const isLoadingMore = isFurther && further.isLoading;

  function more(): void {
    if (data === undefined || data.next === null || isLoadingMore) return;
    const { list, next } = data;
    setFurther({ list, isLoading: true });
    load(next, new AbortController().signal).then(
      (page) => {
        change((now) => (now.list === list ? { items: [...now.items, ...page.items], next: page.next, list } : now));
        setFurther((now) => (now.list === list ? { isLoading: false } : now));
      },
      (error: unknown) => setFurther((now) => (now.list === list ? { list, isLoading: false, error } : now)),
    );
  }

  return {
    data: data?.items,
    error: first.error ?? (isFurther ? further.error : undefined),
    isLoading: first.isLoading || isLoadingMore,
    reload: first.reload,
    more: data === undefined || data.next === null ? undefined : more,
    change: (how) => change((now) => ({ ...now, items: how(now.items) })),
  };
}
