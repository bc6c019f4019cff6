/** Making an agent and connecting a program as it, step by step. For administrators. */

import { useState } from "react";
import { AgentCommands } from "./agent-commands.tsx";
import { NewAgentForm, type NewAgent } from "./new-agent-form.tsx";

interface ConnectAgentProps {
  /** Made before, by a view that has gone since; its credential is not to be had again. */
  readonly made?: NewAgent | undefined;
  readonly onCancel: () => void;
  /** It is made; its credential is shown here now. */
  readonly onMade?: (agent: NewAgent) => void;
}

export function ConnectAgent({ made: before, onCancel, onMade }: ConnectAgentProps) {
  const [agent, setAgent] = useState(before);
  if (agent !== undefined) return <AgentCommands agent={agent} />;
  return (
    <NewAgentForm
      onCancel={onCancel}
      onMade={(made) => {
        setAgent(made);
        onMade?.(made);
      }}
    />
  );
}
