/** Which server this is, how to learn more, and whose work it stands on. */

import { useCallback } from "react";
import { Button } from "../design/button.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { openOverlay } from "../shell/overlay.ts";
import { Await } from "./await.tsx";
import { Group } from "./frame.tsx";
import { useLoaded } from "./loading.ts";
import { Fact, Facts } from "./rows.tsx";
import { words } from "./words.ts";

interface Version {
  readonly name: string;
  readonly version: string;
  readonly protocol_versions: readonly string[];
}

// What the built pages carry, with the licences under which it comes.
const CARRIED = [
  ["React", "MIT"],
  ["Zustand", "MIT"],
  ["TanStack Virtual", "MIT"],
  ["Ariakit", "MIT"],
  ["marked", "MIT"],
  ["Frimousse", "MIT"],
  ["Emojibase", "MIT"],
  ["highlight.js", "BSD-3-Clause"],
  ["idb", "ISC"],
  ["Lucide", "ISC"],
  ["wouter", "Unlicense"],
] as const;

export function AboutSection() {
  const t = useWords(words);
  const { rest } = useActions();
  const version = useLoaded(
    useCallback((signal) => rest.call<Version>("GET", "/version", { signal }), [rest]),
  );
  return (
    <>
      <Group>
        <Await loaded={version}>
          {(data) => (
            <Facts>
              <Fact name={t("server")}>{`${data.name} ${data.version}`}</Fact>
              <Fact name={t("protocol")}>{data.protocol_versions.join(", ")}</Fact>
              <Fact name={t("address")}>{rest.url}</Fact>
            </Facts>
          )}
        </Await>
      </Group>
      <Group title={t("shortcuts")} hint={t("shortcutsText")}>
        <div>
          <Button onClick={() => openOverlay("shortcuts")}>{t("showShortcuts")}</Button>
        </div>
      </Group>
      <Group title={t("forPrograms")}>
        <p>
          {t("forProgramsText")}{" "}
          <a href={`${rest.url}/docs`} target="_blank" rel="noopener">
            {t("restDocs")}
          </a>
        </p>
      </Group>
      <Group title={t("licences")} hint={t("licencesText")}>
        <p>{CARRIED.map(([name, licence]) => `${name} (${licence})`).join(", ")}</p>
      </Group>
    </>
  );
}
