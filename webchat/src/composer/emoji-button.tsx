/** Opens the emoji over the composer; what is picked goes where the caret stands. */

import { Smile } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useClosedByBack } from "../design/back.ts";
import { IconButton } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./emoji-button.module.css";
import { isComposing } from "./keys.ts";
import { words } from "./words.ts";

const EmojiPicker = lazy(() => import("./emoji-picker.tsx"));

export function EmojiButton({ onPick }: { readonly onPick: (emoji: string) => void }) {
  const t = useWords(words);
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  useClosedByBack(() => setIsOpen(false), isOpen);
  useEffect(() => {
    if (!isOpen) return undefined;
    const closeOutside = (event: PointerEvent): void => {
      const to = event.target as Node;
      if (!panel.current?.contains(to) && !button.current?.contains(to)) setIsOpen(false);
    };
    addEventListener("pointerdown", closeOutside);
    return () => removeEventListener("pointerdown", closeOutside);
  }, [isOpen]);

  return (
    <>
      <IconButton
        ref={button}
        className={styles["button"]}
        label={t("emoji")}
        icon={<Smile size={22} aria-hidden />}
        aria-expanded={isOpen}
        aria-haspopup="dialog"
        onClick={() => setIsOpen(!isOpen)}
      />
      {isOpen && (
        <div
          ref={panel}
          className={styles["panel"]}
          role="dialog"
          aria-label={t("emoji")}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || isComposing(event.nativeEvent)) return;
            event.preventDefault();
            event.stopPropagation();
            setIsOpen(false);
            button.current?.focus();
          }}
        >
          <Suspense fallback={<Spinner label={t("emojiLoading")} />}>
            <EmojiPicker
              onPick={(emoji) => {
                setIsOpen(false);
                onPick(emoji);
              }}
            />
          </Suspense>
        </div>
      )}
    </>
  );
}
