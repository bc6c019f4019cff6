/** Something that a view does, at the press of a button or to begin with: whether it is under way, and what went wrong with it. */

import { useCallback, useRef, useState } from "react";

export interface Work {
  readonly isPending: boolean;
  /** What the last try failed with, unless it was told in its place. */
  readonly error: unknown;
  /**
   * Do it, unless it is being done already. Resolves to whether it went well.
   *
   * `place` may tell a failure where it belongs, at a field; it says then that it did.
   */
  run(what: () => Promise<unknown>, place?: (error: unknown) => boolean): Promise<boolean>;
}

export function useWork(): Work {
  const [state, setState] = useState<{ isPending: boolean; error: unknown }>({ isPending: false, error: undefined });
  const isRunning = useRef(false);
  const run = useCallback<Work["run"]>(async (what, place) => {
    if (isRunning.current) return false;
    isRunning.current = true;
    setState({ isPending: true, error: undefined });
    try {
      await what();
      setState({ isPending: false, error: undefined });
      return true;
    } catch (error) {
      setState({ isPending: false, error: place?.(error) === true ? undefined : error });
      return false;
    } finally {
      isRunning.current = false;
    }
  }, []);
  return { ...state, run };
}
