/** The app: who is signed in decides what is shown. */

import { lazy, StrictMode, Suspense, useLayoutEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { Router, useLocation } from "wouter";
import { finishRemovals } from "./conversation/removals.ts";
import { navigateBehind } from "./design/back.ts";
import { clearNotices, notifyError, Toasts } from "./design/toast.tsx";
import { ActionsProvider } from "./engine/actions.ts";
import { Engine } from "./engine/engine.ts";
import { chat, useChat, type Self } from "./engine/state.ts";
import { useWords } from "./i18n/words.ts";
import { dropPush } from "./notifications/push.ts";
import { Crashed } from "./shell/blank.tsx";
import { Boundary } from "./shell/boundary.tsx";
import { useInvitation } from "./welcome/use-invitation.ts";
import { Welcome } from "./welcome/welcome.tsx";
import { words } from "./words.ts";

const loadShell = () => import("./shell/shell.tsx");
const Shell = lazy(async () => ({ default: (await loadShell()).Shell }));
const AlreadyIn = lazy(async () => ({ default: (await import("./welcome/already-in.tsx")).AlreadyIn }));

/** Draw the app, and begin with whoever was signed in last. */
export function start(root: HTMLElement): void {
  const engine = new Engine(location.origin);
  engine.beforeSignOut = async (rest) => {
    await finishRemovals();
    await dropPush(rest);
  };
  // They may say what somebody wrote; whoever has left by their own doing does not leave that to the next.
  chat.subscribe((now, before) => {
    if (before.self && now.self?.userId !== before.self.userId && !now.hasEnded) clearNotices();
  });
  createRoot(root).render(
    <StrictMode>
      <App engine={engine} />
    </StrictMode>,
  );
  // Beside what this device keeps, which takes its time as well; for newcomers while they fill in their form.
  const ahead = (): void => void loadShell().catch(() => undefined);
  if (engine.last === null) root.addEventListener("input", ahead, { once: true });
  else ahead();
  engine.start().catch(notifyError);
}

function App({ engine }: { readonly engine: Engine }) {
  return (
    <ActionsProvider value={engine}>
      <Boundary place="app" instead={<Crashed />}>
        <Router aroundNav={navigateBehind}>
          <Page />
        </Router>
      </Boundary>
      <Toasts />
    </ActionsProvider>
  );
}

function Page() {
  const t = useWords(words);
  const self = useChat((state) => state.self);
  const hasEnded = useChat((state) => state.hasEnded);
  useStartAgain(self, hasEnded);
  if (self === undefined) return null;
  // Each waits for its own parts: what was there before is gone at once, also while they are on their way.
  return (
    <Suspense key={self?.userId}>
      {self === null ? <Welcome notice={hasEnded ? t("sessionEnded") : undefined} /> : <Shell />}
      {self !== null && <Invited />}
    </Suspense>
  );
}

/** Whoever signs in next begins at the beginning; who has to sign in once more, where they were. */
function useStartAgain(self: Self | null | undefined, hasEnded: boolean): void {
  const [, navigate] = useLocation();
  const wasIn = useRef(false);
  useLayoutEffect(() => {
    if (self === null && wasIn.current && !hasEnded) navigate("/", { replace: true });
    wasIn.current = Boolean(self);
  }, [self, hasEnded, navigate]);
}

function Invited() {
  const [invitation, setInvitation] = useState<string>();
  useInvitation(setInvitation);
  if (invitation === undefined) return null;
  return (
    <Suspense>
      <AlreadyIn invitation={invitation} onClose={() => setInvitation(undefined)} />
    </Suspense>
  );
}
