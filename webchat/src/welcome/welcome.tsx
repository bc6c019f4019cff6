/**
 * The first page: sign in, make an account, follow an invitation.
 *
 * Knows which of these the server offers. What happens after signing in is another view's.
 */

import { useRef, useState, type ReactNode } from "react";
import { Button } from "../design/button.tsx";
import { useWords } from "../i18n/words.ts";
import { LanguageChoice } from "../settings/language-choice.tsx";
import { ThemeChoice } from "../settings/theme-choice.tsx";
import { invitationInAddress } from "./invitation.ts";
import { InvitationForm } from "./invitation-form.tsx";
import { Join } from "./join.tsx";
import { Mark } from "./mark.tsx";
import { useOptions, type Options } from "./options.ts";
import { Problem } from "./problem.tsx";
import { RegisterForm } from "./register-form.tsx";
import { Scene } from "./scene.tsx";
import { SignInForm } from "./sign-in-form.tsx";
import { useInvitation } from "./use-invitation.ts";
import styles from "./welcome.module.css";
import { words } from "./words.ts";

type View = "signIn" | "register" | "invitation" | "join" | "first";
type Word = keyof (typeof words)["en"];

interface WelcomeProps {
  /** Why one is here again, such as a session that has ended. */
  readonly notice?: string | undefined;
}

export function Welcome({ notice }: WelcomeProps) {
  const t = useWords(words);
  const { options, error, ask } = useOptions();
  const [chosen, setChosen] = useState<View>();
  const [invitation, setInvitation] = useState(invitationInAddress);
  const view: View = chosen ?? (invitation !== undefined ? "join" : options?.needs_administrator ? "first" : "signIn");
  const heading = useRef<HTMLHeadingElement>(null);
  // Also one that is followed while the page is open.
  useInvitation((found) => {
    setInvitation(found);
    setChosen("join");
  });

  function go(to: View): void {
    setChosen(to);
    heading.current?.focus();
  }
  function join(token: string): void {
    setInvitation(token);
    go("join");
  }

  return (
    <div className={styles["page"]}>
      <aside className={styles["side"]}>
        <Scene />
        <p className={styles["tagline"]}>{t("tagline")}</p>
      </aside>
      <main className={styles["main"]}>
        <header className={styles["brand"]}>
          <Mark size={44} />
          <span>amtrio</span>
        </header>
        <section className={styles["card"]}>
          <h1 ref={heading} tabIndex={-1}>
            {t(TITLES[view])}
          </h1>
          {notice !== undefined && (
            <p className={styles["notice"]} role="status">
              {notice}
            </p>
          )}
          {error !== undefined && (
            <Problem error={error}>
              <Button onClick={ask}>{t("tryAgain")}</Button>
            </Problem>
          )}
          <Body view={view} invitation={invitation} join={join} />
          <Ways view={view} options={options} invitation={invitation} go={go} />
        </section>
        <footer className={styles["footer"]}>
          <LanguageChoice isCompact />
          <ThemeChoice isCompact />
        </footer>
      </main>
    </div>
  );
}

const TITLES: Readonly<Record<View, Word>> = {
  signIn: "titleSignIn",
  register: "titleRegister",
  invitation: "titleInvitation",
  join: "titleJoin",
  first: "titleFirst",
};

interface BodyProps {
  readonly view: View;
  readonly invitation: string | undefined;
  readonly join: (token: string) => void;
}

function Body({ view, invitation, join }: BodyProps): ReactNode {
  const t = useWords(words);
  switch (view) {
    case "signIn":
      return <SignInForm />;
    case "register":
      return <RegisterForm />;
    case "invitation":
      return <InvitationForm onInvitation={join} />;
    case "join":
      return <Join key={invitation} invitation={invitation ?? ""} onInvitation={join} />;
    case "first":
      return (
        <>
          <p>{t("first")}</p>
          <InvitationForm onInvitation={join} />
          <p className={styles["quiet"]}>
            {t("firstLost")} <code>amtrio invite --admin</code>
          </p>
        </>
      );
  }
}

interface WaysProps {
  readonly view: View;
  /** Undefined: the server has not said yet, and only what always works is offered. */
  readonly options: Options | undefined;
  readonly invitation: string | undefined;
  readonly go: (to: View) => void;
}

/** What else there is beside what is shown. */
function Ways({ view, options, invitation, go }: WaysProps) {
  const t = useWords(words);
  const isFirst = options?.needs_administrator === true;
  const ways: [View, Word][] = [];
  if (view !== "signIn") ways.push(["signIn", "toSignIn"]);
  if (isFirst && view !== "first" && view !== "join") ways.push(["first", "toFirst"]);
  if (options?.registration === "open" && view !== "register" && view !== "join") {
    ways.push(["register", isFirst ? "toRegisterOnly" : "toRegister"]);
  }
  if (invitation !== undefined && view !== "join") ways.push(["join", "toInvitation"]);
  else if (options?.registration === "invitation" && view === "signIn" && !isFirst) {
    ways.push(["invitation", "toInvitation"]);
  }
  const isClosed = options?.registration === "closed" && !isFirst && invitation === undefined && view === "signIn";
  return (
    <>
      {isClosed && <p className={styles["quiet"]}>{t("closed")}</p>}
      {ways.length > 0 && (
        <nav className={styles["ways"]} aria-label={t("ways")}>
          {ways.map(([to, label]) => (
            <Button key={to} look="quiet" onClick={() => go(to)}>
              {t(label)}
            </Button>
          ))}
        </nav>
      )}
    </>
  );
}
