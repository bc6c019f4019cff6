/** Light, dark, or as the system says. */

import { Monitor, Moon, Sun } from "lucide-react";
import { chooseTheme, useTheme } from "../design/theme.ts";
import { useWords } from "../i18n/words.ts";
import { appearanceWords } from "./appearance-words.ts";
import { Choice } from "./choice.tsx";

export function ThemeChoice({ isCompact = false }: { readonly isCompact?: boolean }) {
  const t = useWords(appearanceWords);
  return (
    <Choice
      label={t("theme")}
      hasLegend={!isCompact}
      isCompact={isCompact}
      value={useTheme()}
      options={[
        { value: "system", label: t("system"), icon: <Monitor size={16} aria-hidden /> },
        { value: "light", label: t("light"), icon: <Sun size={16} aria-hidden /> },
        { value: "dark", label: t("dark"), icon: <Moon size={16} aria-hidden /> },
      ]}
      onChange={chooseTheme}
    />
  );
}
