/**
 * What to type so that a program becomes an agent. Knows the command line and the client library; no route.
 *
 * Source: docs/bridges.md and docs/how-to/write-an-agent.md.
 */

export interface Identity {
  /** Of the server, as the agent reaches it. */
  readonly url: string;
  readonly agentId: string;
  readonly token: string;
}

export type ProgramKind = "model" | "coding" | "script" | "python";

export const PROGRAM_KINDS: readonly ProgramKind[] = ["model", "coding", "script", "python"];

export function programOf(kind: ProgramKind, identity: Identity): string {
  switch (kind) {
    case "model":
      return shell(identity, "amtrio bridge openai --base-url http://127.0.0.1:11434/v1");
    case "coding":
      return shell(identity, "amtrio bridge acp --cwd . claude-agent-acp");
    case "script":
      return shell(identity, "amtrio bridge command tr a-z A-Z");
    case "python":
      return python(identity);
  }
}

/** Of an agent whose id nobody has chosen yet: letters that every server takes. */
export function agentIdFrom(name: string): string {
  const plain = name.toLowerCase().replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "");
  return plain.replace(/[^a-z0-9]+/g, "-").slice(0, 64).replace(/^-+|-+$/g, "");
}

export function isAgentId(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(text);
}

function shell({ url, agentId, token }: Identity, command: string): string {
  return `export AMTRIO_URL=${url}\nexport AMTRIO_AGENT_ID=${agentId}\nexport AMTRIO_AGENT_TOKEN=${token}\n${command}`;
}

function python({ url, agentId, token }: Identity): string {
  return `from amtrio.client import Agent, Incoming, Run

agent = Agent("${agentId}", url="${url}", token="${token}")


@agent.on_message
async def reply(message: Incoming, run: Run) -> None:
    for word in message.content.split():
        await run.write(f"{word} ")


agent.run()`;
}
