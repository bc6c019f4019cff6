/** Begins a voice note: for as long as it is held, or until it is sent if it was only tapped. */

import { Mic } from "lucide-react";
import { IconButton } from "../design/button.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./composer.module.css";
import { words } from "./words.ts";

interface RecordButtonProps {
  readonly onPress: (how: "held" | "tapped") => void;
  /** Wherever the pointer is by then: the button has made room for the recording. */
  readonly onRelease: () => void;
}

export function RecordButton({ onPress, onRelease }: RecordButtonProps) {
  const t = useWords(words);
  return (
    <IconButton
      className={styles["record"]}
      label={t("record")}
      icon={<Mic size={22} aria-hidden />}
      // The focus goes to what is recorded, not back to this button.
      onMouseDown={(event) => event.preventDefault()}
      onContextMenu={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        onPress("held");
        const controller = new AbortController();
        const release = (): void => {
          controller.abort();
          onRelease();
        };
        addEventListener("pointerup", release, { signal: controller.signal });
        addEventListener("pointercancel", release, { signal: controller.signal });
      }}
      onClick={() => onPress("tapped")}
    />
  );
}
