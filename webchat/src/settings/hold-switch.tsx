/** Whether a long answer may carry its question out of sight. */

import { chooseHolding, useHoldsQuestion } from "../conversation/hold-choice.ts";
import { Switch } from "../design/field.tsx";
import { useWords } from "../i18n/words.ts";
import { appearanceWords } from "./appearance-words.ts";

export function HoldSwitch() {
  const t = useWords(appearanceWords);
  return <Switch label={t("hold")} hint={t("holdHint")} checked={useHoldsQuestion()} onChange={chooseHolding} />;
}
