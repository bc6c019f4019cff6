/** How the app looks and behaves and which language it speaks, on this device. */

import { useWords } from "../i18n/words.ts";
import { Group } from "./frame.tsx";
import { HoldSwitch } from "./hold-switch.tsx";
import { LanguageChoice } from "./language-choice.tsx";
import styles from "./account-section.module.css";
import { ThemeChoice } from "./theme-choice.tsx";
import { words } from "./words.ts";

export function AppearanceSection() {
  const t = useWords(words);
  return (
    <Group hint={t("appearanceHint")}>
      <div className={styles["form"]}>
        <ThemeChoice />
        <LanguageChoice />
        <HoldSwitch />
      </div>
    </Group>
  );
}
