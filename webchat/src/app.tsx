/** The app: who is signed in decides what is shown. */

import { lazy, StrictMode, Suspense, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Toasts } from "./design/toast.tsx";
import { ActionsProvider } from "./engine/actions.ts";
import { Engine } from "./engine/engine.ts";
import { useChat } from "./engine/state.ts";

const Welcome = lazy(() => import("./welcome/welcome.tsx").then((module) => ({ default: module.Welcome })));
const Shell = lazy(() => import("./shell/shell.tsx").then((module) => ({ default: module.Shell })));

/** Draw the app, and begin with whoever was signed in last. */
export function start(root: HTMLElement): void {
  const engine = new Engine(location.origin);
  createRoot(root).render(
    <StrictMode>
      <App engine={engine} />
    </StrictMode>,
  );
  void engine.start();
}

function App({ engine }: { readonly engine: Engine }) {
  const self = useChat((state) => state.self);
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => engine.onSessionEnd(() => setEnded(true)), [engine]);
  return (
    <ActionsProvider value={engine}>
      <Suspense>{self === undefined ? null : self === null ? <Welcome hasEnded={hasEnded} /> : <Shell key={self.userId} />}</Suspense>
      <Toasts />
    </ActionsProvider>
  );
}
