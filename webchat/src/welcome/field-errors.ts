/** What is wrong with the fields of a form, told at the field; the first of them gets the focus. */

import { useEffect, useRef, useState, type RefObject } from "react";

type Errors<Name extends string> = { readonly [Field in Name]?: string };

interface FieldErrors<Name extends string> {
  /** Of the form that holds the fields. */
  readonly form: RefObject<HTMLFormElement | null>;
  readonly errors: Errors<Name>;
  /** Every time it is told: also the same error once more moves the focus. */
  tell(errors: Errors<Name>): void;
}

export function useFieldErrors<Name extends string>(): FieldErrors<Name> {
  const form = useRef<HTMLFormElement>(null);
  const [errors, tell] = useState<Errors<Name>>({});
  useEffect(() => {
    if (Object.keys(errors).length > 0) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [errors]);
  return { form, errors, tell };
}
