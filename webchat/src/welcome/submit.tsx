/** The button that sends a form. Keeps the focus while it is being sent, which a disabled one would lose. */

import { LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../design/button.tsx";
import styles from "./submit.module.css";

interface SubmitProps {
  readonly children: ReactNode;
  readonly isPending: boolean;
  /** Seconds until it makes sense; the reason stands elsewhere. */
  readonly waitSeconds?: number;
  readonly look?: "primary" | "danger";
}

export function Submit({ children, isPending, waitSeconds = 0, look = "primary" }: SubmitProps) {
  return (
    <Button
      type="submit"
      look={look}
      className={styles["submit"]}
      aria-busy={isPending || undefined}
      aria-disabled={isPending || waitSeconds > 0 || undefined}
      onClick={(event) => {
        if (isPending || waitSeconds > 0) event.preventDefault();
      }}
    >
      {isPending && <LoaderCircle className={styles["turning"]} size={18} aria-hidden />}
      {children}
      {waitSeconds > 0 && <span aria-hidden>· {waitSeconds} s</span>}
    </Button>
  );
}
