/** The examples of docs/protocol.md, which the server's tests check too: both sides are held to the same page. */

import { readFileSync } from "node:fs";

const PAGE = new URL("../../../docs/protocol.md", import.meta.url);

/** Every example under a label such as `json server`, in order. */
export function examples(label: string): string[] {
  const blocks = readFileSync(PAGE, "utf8").matchAll(/^```([^\n]+)\n([\s\S]*?)^```$/gm);
  return [...blocks].filter((block) => block[1] === label).map((block) => block[2]!.trim());
}
