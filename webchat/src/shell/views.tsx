/** Which view an address shows in the main pane. */

import { lazy, Suspense, type ReactNode } from "react";
import { Redirect, Route, Switch, useLocation, useSearchParams } from "wouter";
import { Spinner } from "../design/spinner.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Crashed, NoChatChosen, NotFound } from "./blank.tsx";
import { Boundary } from "./boundary.tsx";
import { whenIdle } from "./idle.ts";
import { useIsNarrow } from "./narrow.ts";
import { chatPlace, conversationAt } from "./places.ts";
import styles from "./shell.module.css";
import { words } from "./words.ts";

const PRELOAD_AFTER_MS = 1500;
const loadChat = () => import("./chat-pane.tsx");
const ChatPane = lazy(loadChat);
// At once where the address is that of a chat, else while nothing else happens: it is what comes next.
if (conversationAt(location.pathname) !== undefined) void loadChat();
else setTimeout(() => void loadChat().catch(() => undefined), PRELOAD_AFTER_MS);
// One types into it at once: keys that are pressed while it is on its way are lost.
const loadFind = () => import("../finding/find.tsx");
whenIdle(() => void loadFind().catch(() => undefined));
const Find = lazy(async () => ({ default: (await loadFind()).Find }));
const Settings = lazy(async () => ({ default: (await import("../settings/settings.tsx")).Settings }));
const Manage = lazy(async () => ({ default: (await import("../manage/manage.tsx")).Manage }));
const Onboarding = lazy(async () => ({ default: (await import("../welcome/onboarding.tsx")).Onboarding }));

/** `isKnown`: the server has said which conversations there are. */
export function Views({ isKnown }: { readonly isKnown: boolean }) {
  const [path] = useLocation();
  return (
    <Boundary place={path} instead={<Crashed />}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/">
            <Start isKnown={isKnown} />
          </Route>
          <Route path="/c/:id">{({ id }) => <Chat key={id} id={id} isKnown={isKnown} />}</Route>
          <Route path="/find">
            <Find />
          </Route>
          <Route path="/settings/:section?">{({ section }) => <Settings section={section} />}</Route>
          <Route path="/manage/:section?">{({ section }) => <Manage section={section} />}</Route>
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}

function Start({ isKnown }: { readonly isKnown: boolean }): ReactNode {
  const [search] = useSearchParams();
  const isNarrow = useIsNarrow();
  const hasNone = useChat((state) => Object.keys(state.conversations).length === 0);
  // What a notice of the server leads to; docs/protocol.md, "Push".
  const wanted = search.get("conversation");
  if (wanted !== null) return <Redirect to={chatPlace(wanted)} replace />;
  // One pane only: the list shows it.
  if (isNarrow) return null;
  if (!hasNone) return <NoChatChosen />;
  return isKnown ? <Onboarding /> : <Waiting />;
}

function Chat({ id, isKnown }: { readonly id: string; readonly isKnown: boolean }): ReactNode {
  const [search] = useSearchParams();
  const isThere = useChat((state) => state.conversations[id] !== undefined);
  if (isThere) {
    return <ChatPane conversationId={id} messageId={search.get("m") ?? undefined} query={search.get("q") ?? ""} />;
  }
  return isKnown ? <NotFound isChat /> : <Waiting />;
}

function Waiting() {
  const t = useWords(words);
  return (
    <div className={styles["waiting"]}>
      <Spinner label={t("loading")} />
    </div>
  );
}
