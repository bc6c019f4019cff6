/** Who is signed in, how the connection is, and the ways to the settings. */

import { Keyboard, Settings, ShieldUser } from "lucide-react";
import { Link, useLocation } from "wouter";
import { Avatar } from "../../design/avatar.tsx";
import { IconButton } from "../../design/button.tsx";
import { useChat, type Link as ServerLink } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import { openOverlay } from "../overlay.ts";
import { MANAGE, settingsPlace } from "../places.ts";
import styles from "./footer.module.css";
import side from "./sidebar.module.css";
import { words } from "./words.ts";

const STATES = { online: "connected", connecting: "connecting", offline: "notConnected" } as const satisfies Record<
  ServerLink["kind"],
  string
>;

export function Footer() {
  const t = useWords(words);
  const [path] = useLocation();
  const self = useChat((state) => state.self);
  const isAdministrator = useChat((state) => state.account?.is_admin === true);
  const link = useChat((state) => state.link.kind);
  const name = self?.username ?? "";
  return (
    <footer className={styles["footer"]}>
      <Link href={settingsPlace("account")} className={styles["self"]}>
        <Avatar id={self?.userId ?? ""} name={name} size="small" />
        <span className={styles["who"]}>
          <span className={styles["name"]}>
            <span className="visually-hidden">{t("account")}</span> {name}
          </span>
          <span className={styles["state"]} data-link={link}>
            {t(STATES[link])}
          </span>
        </span>
      </Link>
      <span className={styles["keyboard"]}>
        <IconButton
          label={t("shortcuts")}
          icon={<Keyboard size={20} aria-hidden />}
          onClick={() => openOverlay("shortcuts")}
        />
      </span>
      {isAdministrator && (
        <Link href={MANAGE} className={side["tool"]} aria-label={t("manage")} title={t("manage")} aria-current={pageAt(path, MANAGE)}>
          <ShieldUser size={20} aria-hidden />
        </Link>
      )}
      <Link
        href={settingsPlace()}
        className={side["tool"]}
        aria-label={t("settings")}
        title={t("settings")}
        aria-current={pageAt(path, settingsPlace())}
      >
        <Settings size={20} aria-hidden />
      </Link>
    </footer>
  );
}

function pageAt(path: string, place: string): "page" | undefined {
  return path === place || path.startsWith(`${place}/`) ? "page" : undefined;
}
