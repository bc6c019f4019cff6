/** The app: who is signed in decides what is shown. */

import { lazy, StrictMode, Suspense, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Toasts } from "./design/toast.tsx";
import { ActionsProvider } from "./engine/actions.ts";
import { Engine } from "./engine/engine.ts";
import { useChat } from "./engine/state.ts";
import { useWords } from "./i18n/words.ts";
import { dropPush } from "./notifications/push.ts";
import { Shell } from "./shell/shell.tsx";
import { words } from "./words.ts";

const Welcome = lazy(() => import("./welcome/welcome.tsx").then((module) => ({ default: module.Welcome })));

/** Draw the app, and begin with whoever was signed in last. */
export function start(root: HTMLElement): void {
  const engine = new Engine(location.origin);
  engine.beforeSignOut = dropPush;
  createRoot(root).render(
    <StrictMode>
      <App engine={engine} />
    </StrictMode>,
  );
  void engine.start();
}

function App({ engine }: { readonly engine: Engine }) {
  return (
    <ActionsProvider value={engine}>
      <Suspense>
        <Page engine={engine} />
      </Suspense>
      <Toasts />
    </ActionsProvider>
  );
}

function Page({ engine }: { readonly engine: Engine }) {
  const t = useWords(words);
  const self = useChat((state) => state.self);
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => engine.onSessionEnd(() => setEnded(true)), [engine]);
  if (self === undefined) return null;
  if (self === null) return <Welcome notice={hasEnded ? t("sessionEnded") : undefined} />;
  return <Shell key={self.userId} />;
}
