/** Something that takes a moment and may go wrong: whether it is under way, and what it failed with. */

import { useCallback, useState } from "react";

interface Doing {
  readonly isBusy: boolean;
  /** For `Problem`; undefined as long as nothing is wrong. */
  readonly error: unknown;
  /** Then calls `after`, unless it fails. */
  run(work: () => Promise<unknown>, after?: () => void): void;
}

export function useDoing(): Doing {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = useCallback((work: () => Promise<unknown>, after?: () => void): void => {
    setBusy(true);
    setError(undefined);
    work()
      .then(after, setError)
      .finally(() => setBusy(false));
  }, []);
  return { isBusy, error, run };
}
