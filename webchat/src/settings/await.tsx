/** Something that was asked for: on its way, there, or why it is not. */

import type { ReactNode } from "react";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useWords } from "../i18n/words.ts";
import { Problem } from "../welcome/problem.tsx";
import { frameWords } from "./frame-words.ts";
import type { Loaded } from "./loading.ts";

interface AwaitProps<Data> {
  readonly loaded: Pick<Loaded<Data>, "data" | "error" | "isLoading" | "reload">;
  readonly children: (data: Data) => ReactNode;
}

/** What came before stays in sight while it is asked for again, and when that fails. */
export function Await<Data>({ loaded, children }: AwaitProps<Data>) {
  const t = useWords(frameWords);
  const { data, error, isLoading, reload } = loaded;
  return (
    <>
      {error !== undefined && (
        <Problem error={error}>
          <Button onClick={reload}>{t("tryAgain")}</Button>
        </Problem>
      )}
      {data !== undefined ? children(data) : isLoading && <Spinner label={t("loading")} />}
    </>
  );
}
