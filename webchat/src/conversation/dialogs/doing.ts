/** Something that takes a moment and may go wrong: whether it is under way, and what the server said. */

import { useCallback, useState } from "react";
import { problemOf } from "../../i18n/problem.ts";

interface Doing {
  readonly isBusy: boolean;
  readonly error: string | undefined;
  /** Then calls `after`, unless it fails. */
  run(work: () => Promise<unknown>, after?: () => void): void;
}

export function useDoing(): Doing {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const run = useCallback((work: () => Promise<unknown>, after?: () => void): void => {
    setBusy(true);
    setError(undefined);
    work()
      .then(after, (reason: unknown) => setError(problemOf(reason)))
      .finally(() => setBusy(false));
  }, []);
  return { isBusy, error, run };
}
