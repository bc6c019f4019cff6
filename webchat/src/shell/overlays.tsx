/** The dialogs of the shell, each a chunk of its own. The palette's is there before it is asked for. */

import { lazy, Suspense, useEffect, type ComponentType } from "react";
import { whenIdle } from "./idle.ts";
import { closeOverlay, useOverlay, type Overlay } from "./overlay.ts";

const loadPalette = () => import("./palette/palette.tsx");

const DIALOGS: Readonly<Record<Overlay, ComponentType<{ onClose: () => void }>>> = {
  palette: lazy(async () => ({ default: (await loadPalette()).Palette })),
  shortcuts: lazy(async () => ({ default: (await import("./shortcuts-dialog.tsx")).ShortcutsDialog })),
  "new-chat": lazy(async () => ({ default: (await import("./sidebar/new-chat.tsx")).NewChat })),
  "sign-out": lazy(async () => ({ default: (await import("../settings/sign-out-question.tsx")).SignOutQuestion })),
};

export function Overlays() {
  const open = useOverlay();
  // Keys that are pressed while a chunk is on its way are lost: fetch the one that is typed into at once.
  useEffect(() => whenIdle(() => void loadPalette().catch(() => undefined)), []);
  if (open === null) return null;
  const Shown = DIALOGS[open];
  return (
    <Suspense>
      <Shown onClose={closeOverlay} />
    </Suspense>
  );
}
