/** What is shown for a moment after something was done, such as that it was copied. */

import { useEffect, useState } from "react";

/** Undefined before and afterwards. */
export function useBriefly<Value extends string | true>(forMs: number): readonly [Value | undefined, (value: Value) => void] {
  const [shown, show] = useState<Value>();
  useEffect(() => {
    if (shown === undefined) return undefined;
    const timer = setTimeout(() => show(undefined), forMs);
    return () => clearTimeout(timer);
  }, [shown, forMs]);
  return [shown, show];
}
