/** All shortcuts, from the table that makes them work. */

import { Fragment } from "react";
import { Dialog } from "../design/dialog.tsx";
import { useWords } from "../i18n/words.ts";
import { words, type DialogWord } from "./dialog-words.ts";
import styles from "./shortcuts-dialog.module.css";
import { IS_APPLE, SHORTCUTS, type Chord, type ShortcutGroup } from "./shortcuts.ts";

const GROUPS = {
  moving: "shortcutsMoving",
  writing: "shortcutsWriting",
  reading: "shortcutsReading",
} as const satisfies Record<ShortcutGroup, DialogWord>;

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  return (
    <Dialog title={t("shortcutsTitle")} onClose={onClose}>
      {Object.entries(GROUPS).map(([group, heading]) => (
        <section key={group} aria-labelledby={`shortcuts-${group}`}>
          <h3 id={`shortcuts-${group}`} className={styles["heading"]}>
            {t(heading)}
          </h3>
          <dl className={styles["list"]}>
            {SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ label, chords }) => (
              <div key={label} className={styles["shortcut"]}>
                <dt>{t(label)}</dt>
                <dd className={styles["keys"]}>
                  {chords.map((chord, index) => (
                    <Fragment key={chord.key}>
                      {index > 0 && <span className={styles["or"]}>{t("or")}</span>}
                      <Keys chord={chord} />
                    </Fragment>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

function Keys({ chord }: { readonly chord: Chord }) {
  const t = useWords(words);
  const name = NAMES[chord.key];
  const sign = SIGNS[chord.key] ?? (name === undefined ? chord.key.toUpperCase() : t(name));
  return (
    <span className={styles["chord"]}>
      {chord.mod && <kbd>{IS_APPLE ? "⌘" : t("keyMod")}</kbd>}
      {chord.alt && <kbd>{IS_APPLE ? "⌥" : t("keyAlt")}</kbd>}
      {chord.shift && <kbd>{IS_APPLE ? "⇧" : t("keyShift")}</kbd>}
      <kbd>
        <span aria-hidden={sign === "↑" || sign === "↓" || undefined}>{sign}</span>
        {name !== undefined && SIGNS[chord.key] !== undefined && <span className="visually-hidden">{t(name)}</span>}
      </kbd>
    </span>
  );
}

const SIGNS: Readonly<Record<string, string>> = { ArrowUp: "↑", ArrowDown: "↓" };
const NAMES: Readonly<Record<string, DialogWord>> = {
  ArrowUp: "keyUp",
  ArrowDown: "keyDown",
  Enter: "keyEnter",
  Escape: "keyEscape",
  End: "keyEnd",
};
