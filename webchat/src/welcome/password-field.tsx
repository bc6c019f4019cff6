/** A field for a password that can be looked at before it is sent. */

import { Eye, EyeOff } from "lucide-react";
import { useId, useState } from "react";
import { IconButton } from "../design/button.tsx";
import field from "../design/field.module.css";
import { useWords } from "../i18n/words.ts";
import styles from "./password-field.module.css";
import { words } from "./words.ts";

interface PasswordFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoComplete: "current-password" | "new-password";
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
}

export function PasswordField({ label, value, onChange, autoComplete, hint, error }: PasswordFieldProps) {
  const t = useWords(words);
  const id = useId();
  const [isShown, setShown] = useState(false);
  const note = error ?? hint;
  return (
    <div className={field["field"]}>
      <label htmlFor={id}>{label}</label>
      <div className={styles["row"]}>
        <input
          id={id}
          className={field["input"]}
          type={isShown ? "text" : "password"}
          name={autoComplete}
          autoComplete={autoComplete}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          required
          value={value}
          aria-invalid={error !== undefined || undefined}
          aria-describedby={note === undefined ? undefined : `${id}-note`}
          onChange={(event) => onChange(event.target.value)}
        />
        <IconButton
          label={t("showPassword")}
          aria-pressed={isShown}
          icon={isShown ? <EyeOff size={20} aria-hidden /> : <Eye size={20} aria-hidden />}
          onClick={() => setShown(!isShown)}
        />
      </div>
      {note !== undefined && (
        <p id={`${id}-note`} className={error === undefined ? field["hint"] : field["error"]}>
          {note}
        </p>
      )}
    </div>
  );
}
