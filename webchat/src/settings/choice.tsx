/** One of a few, all of them in sight: radio buttons that look like one control. */

import { useId, type ReactNode } from "react";
import styles from "./choice.module.css";

interface ChoiceProps<Value extends string> {
  /** Read out, and shown if `hasLegend`. */
  readonly label: string;
  readonly hasLegend?: boolean;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly icon?: ReactNode }[];
  readonly value: Value;
  /** Icons alone; their labels are read out. */
  readonly isCompact?: boolean;
  readonly onChange: (value: Value) => void;
}

export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { label, hasLegend = false, options, value, isCompact = false, onChange } = props;
  const name = useId();
  return (
    <fieldset className={styles["choice"]}>
      <legend className={hasLegend ? styles["legend"] : "visually-hidden"}>{label}</legend>
      <div className={styles["options"]}>
        {options.map((option) => (
          <label key={option.value} className={styles["option"]} title={isCompact ? option.label : undefined}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.icon}
            <span className={isCompact ? "visually-hidden" : undefined}>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
