/** One of several, folded away: the browser's own, which every phone shows in its own good way. */

import { ChevronDown } from "lucide-react";
import { useId } from "react";
import { classes } from "../design/classes.ts";
import field from "../design/field.module.css";
import styles from "./select.module.css";

interface SelectProps<Value extends string> {
  readonly label: string;
  /** Read out, not shown: where its place says what it is. */
  readonly isBare?: boolean;
  readonly hint?: string | undefined;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly value: Value;
  readonly isDisabled?: boolean;
  readonly onChange: (value: Value) => void;
}

export function Select<Value extends string>(props: SelectProps<Value>) {
  const { label, isBare = false, hint, options, value, isDisabled = false, onChange } = props;
  const id = useId();
  return (
    <div className={classes(field["field"], styles["field"])}>
      <label htmlFor={id} className={isBare ? "visually-hidden" : undefined}>
        {label}
      </label>
      <div className={styles["box"]}>
        <select
          id={id}
          className={classes(field["input"], styles["select"], isBare && styles["bare"])}
          value={value}
          disabled={isDisabled}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => onChange(event.target.value as Value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronDown size={16} aria-hidden />
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={field["hint"]}>
          {hint}
        </p>
      )}
    </div>
  );
}
