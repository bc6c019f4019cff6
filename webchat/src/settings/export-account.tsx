/** Everything that one has on the server, as one archive in the folder of downloads. */

import { Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { download } from "../attachments/download.ts";
import { Button } from "../design/button.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Problem } from "../welcome/problem.tsx";
import styles from "./account-section.module.css";
import { words } from "./words.ts";

export function ExportAccount() {
  const t = useWords(words);
  const { rest } = useActions();
  const username = useChat((state) => state.self?.username ?? "");
  const work = useWork();
  const [received, setReceived] = useState(0);
  const [isDone, setDone] = useState(false);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  function start(): void {
    const ended = new AbortController();
    running.current = ended;
    setReceived(0);
    setDone(false);
    void work.run(
      async () => {
        const archive = await rest.download("/account/export", { onProgress: setReceived, signal: ended.signal });
        download(archive, `amtrio-${username}-${new Date().toISOString().slice(0, 10)}.zip`);
        setDone(true);
      },
      () => ended.signal.aborted,
    );
  }

  return (
    <>
      <div className={styles["exporting"]}>
        {work.isPending ? (
          <>
            <progress aria-label={t("exporting")} />
            <span>{received > 0 ? t("exported", { size: bytes(received) }) : t("exporting")}</span>
            <Button onClick={() => running.current?.abort()}>{t("cancel")}</Button>
          </>
        ) : (
          <Button onClick={start}>
            <Download size={18} aria-hidden /> {t("exportStart")}
          </Button>
        )}
      </div>
      <p role="status" className={styles["done"]} hidden={!isDone}>
        {isDone && t("exportDone", { size: bytes(received) })}
      </p>
      <Problem error={work.error} meanings={{ conflict: t("exportRuns") }} />
    </>
  );
}
