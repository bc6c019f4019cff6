/** A signed-in person, one conversation with an agent, and a record of everything that views ask for. */

import type { AgentInfo, Attachment, Message } from "@amtrio/client";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactElement } from "react";
import { Toasts } from "../../src/design/toast.tsx";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import type { SealedFile } from "../../src/engine/sealed-files.ts";
import { chat, EMPTY, type ChatConversation } from "../../src/engine/state.ts";

export const HERE = "c1";
export const THERE = "c2";

export interface Upload {
  readonly file: File;
  readonly signal: AbortSignal;
  readonly progress: (sent: number, total: number) => void;
  readonly succeed: (more?: Partial<SealedFile>) => void;
  readonly fail: (error: Error) => void;
}

export interface Stage {
  readonly actions: Actions;
  /** Name and arguments, in order. */
  readonly asked: (readonly [string, ...unknown[]])[];
  /** Arguments of every call of one action. */
  readonly askedFor: (name: string) => unknown[][];
  readonly uploads: Upload[];
  /** What actions that can be refused answer with from now on. */
  refuseWith: Error | undefined;
}

export const AGENT: AgentInfo = {
  agent_id: "coder",
  name: "Coder",
  supports: ["stop", "queue", "attachments"],
  commands: [
    { name: "help", description: "What this agent can do" },
    { name: "run", description: "Run a script", arguments: "FILE" },
    { name: "review", description: "Look over a change" },
  ],
};

export function stage(): Stage {
  // Signing out empties what is kept beside the state.
  chat.setState({ ...EMPTY, self: { userId: "u1", username: "alice" } }, true);
  chat.setState({ self: null });
  chat.setState({
    self: { userId: "u1", username: "alice" },
    link: { kind: "online" },
    agents: { coder: AGENT, scout: { agent_id: "scout", name: "Scout", specialty: "finds things" } },
    conversations: {
      [HERE]: { conversation_id: HERE, agent_id: "coder" } as ChatConversation,
      [THERE]: { conversation_id: THERE, agent_id: "scout" } as ChatConversation,
    },
  });
  return recorder();
}

const REFUSABLE = new Set(["stop", "steer", "edit", "answer", "withdraw"]);

export function recorder(): Stage {
  const asked: [string, ...unknown[]][] = [];
  const uploads: Upload[] = [];
  const record = (name: string, ...args: unknown[]): void => void asked.push([name, ...args]);
  const given: Record<string, unknown> = {
    rest: {
      uploadRoom: async () => ({ max_file_bytes: 100_000, quota_bytes: 250_000, used_bytes: 0, max_per_message: 3 }),
      call: async (...args: unknown[]) => record("rest.call", ...args),
    },
    setDraft(conversationId: string, text: string) {
      record("setDraft", conversationId, text);
      chat.setState(({ drafts }) => ({ drafts: { ...drafts, [conversationId]: text } }));
    },
    upload(file: File, options: { signal: AbortSignal; onProgress: Upload["progress"] }) {
      return new Promise<Attachment>((resolve, reject) => {
        uploads.push({
          file,
          signal: options.signal,
          progress: options.onProgress,
          succeed: (more = {}) => resolve(attachment(file.name, { size: file.size, content_type: file.type, ...more })),
          fail: reject,
        });
      });
    },
    fileUrl: async (file: Attachment, kind: string) => `blob:${kind}/${file.attachment_id}`,
  };
  const result: Stage = {
    actions: new Proxy(given, {
      get: (known, name: string) =>
        known[name] ??
        ((...args: unknown[]) => {
          record(name, ...args);
          const isRefused = result.refuseWith !== undefined && REFUSABLE.has(name);
          return isRefused ? Promise.reject(result.refuseWith!) : Promise.resolve();
        }),
    }) as unknown as Actions,
    asked,
    askedFor: (name) => asked.filter(([each]) => each === name).map(([, ...args]) => args),
    uploads,
    refuseWith: undefined,
  };
  return result;
}

export function show({ actions }: Stage, view: ReactElement): RenderResult {
  return render(view, {
    wrapper: ({ children }) => (
      <ActionsProvider value={actions}>
        {children}
        <Toasts />
      </ActionsProvider>
    ),
  });
}

export function attachment(filename: string, more: Partial<Attachment> = {}): Attachment {
  return {
    attachment_id: `att-${filename}`,
    filename,
    content_type: "application/octet-stream",
    size: 1200,
    url: `/attachments/att-${filename}`,
    created_at: "2026-11-25T14:05:00.000Z",
    ...more,
  };
}

export function message(seq: number, content: string, more: Partial<Message> = {}): Message {
  return {
    message_id: `m${seq}`,
    conversation_id: HERE,
    conversation_seq: seq,
    sender_type: "client",
    sender_id: "u1",
    content,
    created_at: "2026-11-25T14:05:00.000Z",
    ...more,
  };
}

export function timeline(...messages: Message[]): void {
  const whole = { messages, hasOlder: false, hasNewer: false, loading: null, error: null };
  chat.setState({ timelines: { [HERE]: whole } });
}

export function file(name: string, size: number, type = "text/plain"): File {
  return new File([new Uint8Array(size)], name, { type });
}
