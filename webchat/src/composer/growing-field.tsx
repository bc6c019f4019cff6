/** A text field that is as high as its text, up to 40 % of the window; then it scrolls. */

import { useLayoutEffect, type RefObject, type TextareaHTMLAttributes } from "react";
import styles from "./growing-field.module.css";

interface GrowingFieldProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "className" | "rows"> {
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>;
  readonly value: string;
}

export function GrowingField({ fieldRef, ...rest }: GrowingFieldProps) {
  const { value } = rest;
  useLayoutEffect(() => {
    // Safari has no `field-sizing` (WebKitGTK 2.50): there the height is measured.
    if (CSS.supports("field-sizing", "content")) return;
    const field = fieldRef.current!;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }, [fieldRef, value]);
  return <textarea ref={fieldRef} className={styles["field"]} rows={1} dir="auto" {...rest} />;
}
