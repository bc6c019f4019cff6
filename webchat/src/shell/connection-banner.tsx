/** The truth about the connection, in one line over everything. Nothing while all is well. */

import { Check, CloudOff, WifiOff } from "lucide-react";
import { Button } from "../design/button.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./connection-banner.module.css";
import { useConnectionNotice, type Notice } from "./connection-notice.ts";
import { waitingCount } from "./waiting.ts";
import { words } from "./words.ts";

export function ConnectionBanner() {
  const t = useWords(words);
  const actions = useActions();
  const notice = useConnectionNotice();
  const waiting = useChat((state) => waitingCount(state.outgoing));
  const isOffline = notice.kind === "offline";
  const region = notice.kind === "none" ? {} : { role: "region", "aria-label": t("connection") };
  return (
    <div className={styles["banner"]} data-kind={notice.kind} {...region}>
      {notice.kind !== "none" && <Picture notice={notice} />}
      {/* Always there, so that it is read out once when something is said; what counts down stands beside it. */}
      <p className={styles["text"]} role="status">
        {notice.kind === "connecting" && t("connecting")}
        {notice.kind === "back" && t("back")}
        {isOffline && t(notice.isDevice ? "offlineDevice" : "offlineServer")}
      </p>
      {isOffline && (
        <>
          <span className={styles["asides"]}>
            {waiting > 0 && <span>{t("waiting", { n: waiting })}</span>}
            {!notice.isDevice && (
              <span aria-hidden>{notice.inSeconds > 0 ? t("tryingIn", { n: notice.inSeconds }) : t("trying")}</span>
            )}
          </span>
          <Button className={styles["again"]} onClick={() => actions.reconnect()}>
            {t("tryNow")}
          </Button>
        </>
      )}
    </div>
  );
}

function Picture({ notice }: { readonly notice: Notice }) {
  if (notice.kind === "back") return <Check size={18} aria-hidden />;
  return notice.kind === "offline" && notice.isDevice ? <WifiOff size={18} aria-hidden /> : <CloudOff size={18} aria-hidden />;
}
