/** Steer or queue: the arrow beside Send, and its menu. What is taken becomes the usual way. Its own chunk. */

import * as Ariakit from "@ariakit/react";
import { ChevronUp, CornerDownRight, ListPlus } from "lucide-react";
import { useWords } from "../i18n/words.ts";
import styles from "./send-controls.module.css";
import { prefer, type Way } from "./ways.ts";
import { words } from "./words.ts";

interface WayMenuProps {
  readonly chosen: Way;
  readonly isDisabled: boolean;
  readonly onSend: (way: Way) => void;
}

export default function WayMenu({ chosen, isDisabled, onSend }: WayMenuProps) {
  const t = useWords(words);
  return (
    <Ariakit.MenuProvider placement="top-end">
      <Ariakit.MenuButton className={styles["arrow"]} aria-label={t("chooseWay")} disabled={isDisabled}>
        <ChevronUp size={18} aria-hidden />
      </Ariakit.MenuButton>
      <Ariakit.Menu className={styles["menu"]} gutter={6} unmountOnHide aria-label={t("chooseWay")}>
        {(["steer", "queue"] as const).map((way) => (
          <Ariakit.MenuItem
            key={way}
            className={styles["item"]}
            onClick={() => {
              prefer(way);
              onSend(way);
            }}
          >
            {way === "steer" ? <CornerDownRight size={18} aria-hidden /> : <ListPlus size={18} aria-hidden />}
            <span>
              {t(way)}
              {way === chosen && " ✓"}
            </span>
            <span className={styles["hint"]}>{t(way === "steer" ? "steerHint" : "queueHint")}</span>
          </Ariakit.MenuItem>
        ))}
      </Ariakit.Menu>
    </Ariakit.MenuProvider>
  );
}
