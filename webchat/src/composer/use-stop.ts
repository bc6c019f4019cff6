/** The answer that runs in a conversation, and stopping it: by the button or with Escape wherever one reads. */

import { useEffect, useRef } from "react";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { chat, useChat } from "../engine/state.ts";
import { isComposing } from "./keys.ts";
import type { Stopping } from "./send-controls.tsx";

export interface Stop {
  /** The newest one. Undefined: none runs. */
  readonly runId: string | undefined;
  readonly stopping: Stopping | undefined;
  readonly stop: () => Promise<void>;
}

/** `isFree`: nothing is written or open in the composer that Escape would be for. */
export function useStop(conversationId: string, isFree: () => boolean): Stop {
  const actions = useActions();
  const runId = useChat((state) => state.runs[conversationId]?.at(-1));
  const stopping = useChat((state) => (runId === undefined ? undefined : state.stopping[runId]));

  const isFreeNow = useRef(isFree);
  useEffect(() => {
    isFreeNow.current = isFree;
  });

  async function stop(): Promise<void> {
    const runs = chat.getState().runs[conversationId] ?? [];
    await Promise.all(runs.map((each) => actions.stop(each)));
  }

  useEffect(() => {
    if (runId === undefined) return undefined;
    // Looked at before anybody closes what is open: afterwards it would seem that nothing was.
    let isForOther = false;
    const look = (event: KeyboardEvent): void => {
      isForOther = event.key === "Escape" && (isForSomethingElse(event) || !isFreeNow.current());
    };
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || isComposing(event) || isForOther) return;
      event.preventDefault();
      stop().catch(notifyError);
    };
    addEventListener("keydown", look, { capture: true });
    addEventListener("keydown", press);
    return () => {
      removeEventListener("keydown", look, { capture: true });
      removeEventListener("keydown", press);
    };
    // oxlint-disable-next-line react/exhaustive-deps -- it stays the same for one run
  }, [runId]);

  return { runId, stopping, stop };
}

/** What is open closes first, and other fields have an Escape of their own. */
function isForSomethingElse({ target }: KeyboardEvent): boolean {
  if (document.querySelector("dialog[open], [role=dialog], [role=menu]:not([hidden])") !== null) return true;
  // Whoever writes in a question means to leave that, or nothing.
  if (target instanceof HTMLTextAreaElement && target.value !== "") return true;
  return target instanceof Element && target.closest("input, select, [role=listbox], [role=combobox]") !== null;
}
