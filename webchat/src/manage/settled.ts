/** What somebody types, once they pause. */

import { useEffect, useState } from "react";

// Between two keys of a quick hand lie 150 ms; a question to the server for each would spend the budget of requests.
const PAUSE_MS = 250;

export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
