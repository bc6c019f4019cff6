/** What may be done here without an account, as the server says. */

import { useCallback, useEffect, useState } from "react";
import { useActions, type Actions } from "../engine/actions.ts";

export type Options = Awaited<ReturnType<Actions["options"]>>;

interface Asked {
  /** Undefined until the server has answered. */
  readonly options: Options | undefined;
  readonly error: unknown;
  ask(): void;
}

export function useOptions(): Asked {
  const actions = useActions();
  const [answer, setAnswer] = useState<{ options?: Options; error?: unknown }>({});
  const ask = useCallback(() => {
    actions.options().then(
      (options) => setAnswer({ options }),
      (error: unknown) => setAnswer((before) => ({ ...before, error })),
    );
  }, [actions]);
  useEffect(ask, [ask]);
  // It may have been away only while the page was opened.
  useEffect(() => {
    addEventListener("online", ask);
    return () => removeEventListener("online", ask);
  }, [ask]);
  return { options: answer.options, error: answer.error, ask };
}
