/** Lists that are asked for when a view opens: whole, or page by page. */

import { useCallback, useEffect, useRef, useState, type DependencyList } from "react";

export interface Loaded<Data> {
  /** The last that came; it stays while it is asked for again. */
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  reload(): void;
  /** What was changed here is known without asking. */
  change(change: (data: Data) => Data): void;
}

/** Asked for again whenever something in `about` changes; what an older question brings is left alone then. */
export function useLoaded<Data>(load: (signal: AbortSignal) => Promise<Data>, about: DependencyList): Loaded<Data> {
  const [state, setState] = useState<{ data?: Data; error?: unknown; isLoading: boolean }>({ isLoading: true });
  const [tries, setTries] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const left = new AbortController();
    setState((now) => ({ ...now, error: undefined, isLoading: true }));
    latest.current(left.signal).then(
      (data) => {
        if (!left.signal.aborted) setState({ data, isLoading: false });
      },
      (error: unknown) => {
        if (!left.signal.aborted) setState((now) => ({ ...now, error, isLoading: false }));
      },
    );
    return () => left.abort();
  }, [tries, ...about]);
  const reload = useCallback(() => setTries((now) => now + 1), []);
  const change = useCallback((how: (data: Data) => Data) => {
    setState((now) => (now.data === undefined ? now : { ...now, data: how(now.data) }));
  }, []);
  return { data: state.data, error: state.error, isLoading: state.isLoading, reload, change };
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
  about: DependencyList,
): Pages<Item> {
  const first = useLoaded((signal) => load(undefined, signal), about);
  const [further, setFurther] = useState<{ isLoading: boolean; error?: unknown }>({ isLoading: false });
  const latest = useRef(load);
  latest.current = load;
  // Of the list that is shown: a page of another one that comes late is left alone.
  const shown = useRef(new AbortController());
  useEffect(() => {
    shown.current = new AbortController();
    setFurther({ isLoading: false });
    return () => shown.current.abort();
  }, about);
  const { data, change } = first;

  function more(): void {
    const cursor = data?.next;
    if (cursor === undefined || cursor === null || further.isLoading) return;
    const { signal } = shown.current;
    setFurther({ isLoading: true });
    latest.current(cursor, signal).then(
      (page) => {
        if (signal.aborted) return;
        change((now) => ({ items: [...now.items, ...page.items], next: page.next }));
        setFurther({ isLoading: false });
      },
      (error: unknown) => {
        if (!signal.aborted) setFurther({ isLoading: false, error });
      },
    );
  }

  return {
    data: data?.items,
    error: first.error ?? further.error,
    isLoading: first.isLoading || further.isLoading,
    reload: first.reload,
    more: data === undefined || data.next === null ? undefined : more,
    change: (how) => change((now) => ({ ...now, items: how(now.items) })),
  };
}
