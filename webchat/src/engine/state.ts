/**
 * What the app knows right now, and how views read it.
 *
 * Plain values that are replaced, never changed in place: a view is drawn anew when the part that it selected is another
 * object. Only `engine/` writes here. Words of live runs, which arrive many times a second, are kept by `live.ts`.
 */

import type {
  Account,
  AgentInfo,
  Attachment,
  Conversation,
  LastMessage,
  Message,
  OwnState,
  Receipt,
} from "@amtrio/client";
import { useSyncExternalStore } from "react";
import { createStore } from "zustand/vanilla";
import { Bursts } from "./bursts.ts";
import type { SealedFile } from "./sealed-files.ts";

/** How things stand with the server. `connecting` is the first try and says nothing bad yet. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  /** `retryAt` in milliseconds since 1970; a try is running if it has passed. */
  | { readonly kind: "offline"; readonly reason: string; readonly retryAt: number };

/** Who is signed in here. Known offline, too. */
export interface Self {
  readonly userId: string;
  readonly username: string;
}

export interface ChatConversation extends Conversation, OwnState {
  readonly receipts: readonly Receipt[];
  /** The newest message that is not deleted. */
  readonly last: LastMessage | null;
  /** The newest `conversation_seq`; 0 if nothing was said. */
  readonly lastSeq: number;
  /** Messages of the other side above `readUpTo`. */
  readonly unread: number;
  /** Own mark, as `conversation_seq`. */
  readonly readUpTo: number;
}

/** The stretch of a conversation that is in memory: without gaps, oldest first. */
export interface Timeline {
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  /** It was opened in the past, and does not reach the present. */
  readonly hasNewer: boolean;
  readonly loading: "older" | "newer" | "around" | null;
  /** Why the last loading failed. */
  readonly error: string | null;
}

/** A message that the server does not have yet, as far as this device knows. */
export interface Outgoing {
  /** Under which the server knows it again; the key of the bubble before and after. */
  readonly clientId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly replyTo: string | undefined;
  /** All of them sealed if it is `encrypted`, and none if it is not. */
  readonly attachments: readonly Attachment[];
  /** Milliseconds since 1970; this orders them. */
  readonly createdAt: number;
  /** `waiting`: for a connection. `sending`: on its way. `failed`: the server said no, `error` says why. */
  readonly state: "waiting" | "sending" | "failed";
  readonly error: string | undefined;
  /** Sealed on this device before it leaves. Undefined: nobody has looked yet how it stands with its conversation. */
  readonly encrypted: boolean | undefined;
}

/** Encryption of one conversation, as its owner sees it. */
export type Secrecy =
  | { readonly kind: "off" }
  /** The agent has published no keys. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "on"; readonly safetyNumber: string; readonly verified: boolean }
  /** The agent's identity is not the one that was seen before: nothing is sent until a person has looked. */
  | { readonly kind: "changed"; readonly safetyNumber: string };

/** Whether what is said is sealed. */
export function isSecret(secrecy: Secrecy | undefined): secrecy is Extract<Secrecy, { readonly safetyNumber: string }> {
  return secrecy?.kind === "on" || secrecy?.kind === "changed";
}

export interface ChatState {
  /** Null: nobody is signed in. Undefined: not known yet. */
  readonly self: Self | null | undefined;
  /** Nobody is, because the session ended without this person's doing. */
  readonly hasEnded: boolean;
  /** Undefined until the server has said it once on this device. */
  readonly account: Account | undefined;
  readonly link: Link;
  readonly agents: Readonly<Record<string, AgentInfo>>;
  readonly conversations: Readonly<Record<string, ChatConversation>>;
  /** Of conversations that were opened. */
  readonly timelines: Readonly<Record<string, Timeline>>;
  /** What is answered from a timeline without standing in it, by message id. */
  readonly quoted: Readonly<Record<string, Message>>;
  /** By conversation, oldest first. */
  readonly outgoing: Readonly<Record<string, readonly Outgoing[]>>;
  /** What is written and not sent, by conversation. */
  readonly drafts: Readonly<Record<string, string>>;
  /** Ids of the runs that are going on, by conversation, oldest first. Their text is in `live.ts`. */
  readonly runs: Readonly<Record<string, readonly string[]>>;
  /** Runs that were told to stop, and how that stands. */
  readonly stopping: Readonly<Record<string, "sent" | "acknowledged" | "unresponsive">>;
  /** Agents that are writing, by conversation: until when, in milliseconds since 1970. */
  readonly typing: Readonly<Record<string, number>>;
  readonly secrecy: Readonly<Record<string, Secrecy>>;
  /** What encrypted messages say, by message id; null: this device cannot read it. */
  readonly plain: Readonly<Record<string, string | null>>;
  /** Which files encrypted messages bring, by message id; of those that could be read and bring any. */
  readonly sealedFiles: Readonly<Record<string, readonly SealedFile[]>>;
}

export const EMPTY: ChatState = {
  self: undefined,
  hasEnded: false,
  account: undefined,
  link: { kind: "connecting" },
  agents: {},
  conversations: {},
  timelines: {},
  quoted: {},
  outgoing: {},
  drafts: {},
  runs: {},
  stopping: {},
  typing: {},
  secrecy: {},
  plain: {},
  sealedFiles: {},
};

export const chat = createStore<ChatState>(() => EMPTY);

/** Who draws. */
export const views = new Bursts();
chat.subscribe(() => views.tell());

/** One part of what is known; drawn anew when it is another value (`Object.is`). */
export function useChat<Part>(select: (state: ChatState) => Part): Part {
  return useSyncExternalStore(views.subscribe, () => select(chat.getState()));
}
