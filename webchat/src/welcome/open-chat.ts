/** Going to the conversation with an agent, which is made if there is none. */

import { useLocation } from "wouter";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";

interface OpenChat {
  readonly isPending: boolean;
  readonly error: unknown;
  open(agentId: string): void;
}

export function useOpenChat(): OpenChat {
  const actions = useActions();
  const [, navigate] = useLocation();
  const { isPending, error, run } = useWork();
  const open = (agentId: string): void => {
    void run(async () => navigate(`/c/${encodeURIComponent(await actions.openConversation(agentId))}`));
  };
  return { isPending, error, open };
}
