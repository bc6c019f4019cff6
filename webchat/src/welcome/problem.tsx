/** What went wrong, in words for people, in the language that is shown. Knows the protocol's codes, and no route. */

import { Refused } from "@amtrio/client";
import { CircleAlert } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { problemOf } from "../i18n/problem.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./problem.module.css";
import { problemWords } from "./problem-words.ts";

/** What a code means at this place, where its general meaning does not say enough. */
export type Meanings = Readonly<Record<string, string>>;

export function useProblem(): (error: unknown, meanings?: Meanings) => string {
  const t = useWords(problemWords);
  return (error, meanings = {}) => {
    if (!(error instanceof Refused)) return problemOf(error);
    const here = meanings[error.code];
    if (here !== undefined) return here;
    if (error.retry === "after_ms") return t("wait", { n: waitSeconds(error) });
    switch (error.code) {
      case "unauthorized":
        return t("unauthorized");
      case "forbidden":
        return t("forbidden");
      case "not_found":
        return t("notFound");
      case "internal":
      case "storage_unavailable":
      case "shutting_down":
        return t("trouble");
      default:
        return error.message;
    }
  };
}

interface ProblemProps {
  readonly error: unknown;
  readonly meanings?: Meanings;
  /** A way out, such as a button that tries again. */
  readonly children?: ReactNode;
}

/** Nothing, as long as nothing is wrong. Read out when it appears. */
export function Problem({ error, meanings, children }: ProblemProps) {
  const problem = useProblem();
  if (error === undefined) return null;
  return (
    <div className={styles["problem"]} role="alert">
      <CircleAlert size={18} aria-hidden />
      <p>{problem(error, meanings)}</p>
      {children}
    </div>
  );
}

/** Seconds until another try makes sense, counted down; 0 if one does now. */
export function useWait(error: unknown): number {
  const [shown, setShown] = useState({ error, left: secondsToWait(error) });
  if (shown.error !== error) setShown({ error, left: secondsToWait(error) });
  useEffect(() => {
    const seconds = secondsToWait(error);
    if (seconds === 0) return undefined;
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => {
      const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      setShown({ error, left });
      if (left === 0) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [error]);
  return shown.left;
}

function secondsToWait(error: unknown): number {
  return error instanceof Refused && error.retry === "after_ms" ? waitSeconds(error) : 0;
}

function waitSeconds(error: Refused): number {
  return Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
}
