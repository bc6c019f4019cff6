/**
 * A page with sections: their list beside what is shown or, on a phone, before it.
 *
 * Knows addresses. Knows nothing of what stands in the sections. It stands inside the `main` of the shell.
 */

import { ArrowLeft, ChevronRight } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { Link } from "wouter";
import { useWords } from "../i18n/words.ts";
import styles from "./frame.module.css";
import { frameWords } from "./frame-words.ts";

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly icon: ReactNode;
}

interface FrameProps {
  readonly title: string;
  /** Of the page without a section. */
  readonly address: string;
  readonly sections: readonly Section[];
  /** Undefined: the list alone on a phone; beside it, where there is room, the first one. */
  readonly current: string | undefined;
  /** For tables; text is read more easily in shorter lines. */
  readonly isWide?: boolean;
  /** Under the list. */
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}

export function Frame(props: FrameProps) {
  const { title, address, sections, current, isWide = false, foot, children } = props;
  const t = useWords(frameWords);
  const shown = sections.find((section) => section.id === current) ?? sections[0];
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(current);
  useEffect(() => {
    // On a phone the link that was followed is gone; everywhere the new heading is what should be heard.
    if (current !== before.current && current !== undefined) heading.current?.focus();
    before.current = current;
  }, [current]);
  return (
    <div className={styles["page"]} data-open={current !== undefined || undefined}>
      <div className={styles["columns"]}>
        <div className={styles["side"]}>
          <div className={styles["top"]}>
            <Link href="/" className={styles["back"]} aria-label={t("toChats")} title={t("toChats")}>
              <ArrowLeft size={20} aria-hidden />
            </Link>
            <h1>{title}</h1>
          </div>
          <nav aria-label={title}>
            <ul className={styles["list"]}>
              {sections.map((section) => (
                <li key={section.id}>
                  <Link
                    href={`${address}/${section.id}`}
                    className={styles["link"]}
                    aria-current={section.id === current ? "page" : undefined}
                    data-shown={section === shown || undefined}
                  >
                    {section.icon}
                    <span>{section.title}</span>
                    <ChevronRight size={16} aria-hidden />
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          {foot}
        </div>
        <div className={styles["content"]}>
          <div className={styles["top"]}>
            <Link href={address} className={styles["back"]} aria-label={t("backTo", { title })} title={t("backTo", { title })}>
              <ArrowLeft size={20} aria-hidden />
            </Link>
            <h2 ref={heading} tabIndex={-1}>
              {shown?.title}
            </h2>
          </div>
          <div className={styles["body"]} data-wide={isWide || undefined}>
            {children}
          </div>
        </div>
      </div>
    </div>
  );
}

interface GroupProps {
  readonly title?: string;
  readonly hint?: ReactNode;
  readonly children: ReactNode;
}

/** What belongs together in a section. */
export function Group({ title, hint, children }: GroupProps) {
  return (
    <section className={styles["group"]}>
      {title !== undefined && <h3>{title}</h3>}
      {hint !== undefined && <p className={styles["hint"]}>{hint}</p>}
      {children}
    </section>
  );
}
