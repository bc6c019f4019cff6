/**
 * What a person can do. Views import these, and of the rest of the engine what is to be read or heard (`state`, `live`,
 * `arrivals`) and what is small and shared (`own-items`, `sealed-files`, `server-clock`); nothing else.
 *
 * Whatever can be shown at once is shown at once, and goes to the server as soon as there is one. Those that return a
 * promise reject with `ClientError` of the SDK, whose text is for people; the others put what went wrong into the state.
 */

import { createContext, useContext } from "react";
import type { AgentInfo, Attachment, Message, Rest, SearchPage, SearchQuery } from "@amtrio/client";
import type { SealedFile } from "./sealed-files.ts";
import type { Deciphered } from "./secrets.ts";
import type { SignInOptions } from "./session.ts";

export interface SendOptions {
  readonly replyTo?: string | undefined;
  readonly attachments?: readonly Attachment[];
}

export interface Actions {
  // ---- signing in
  signIn(username: string, password: string): Promise<void>;
  register(username: string, password: string, invitation?: string): Promise<void>;
  /** What may be done without an account. */
  options(): Promise<SignInOptions>;
  /** Ends the session and forgets everything that is stored here. */
  signOut(): Promise<void>;
  /** The same with the account itself. Rejects with `forbidden` for a wrong password, `conflict` for the last administrator. */
  deleteAccount(password: string): Promise<void>;
  /** Try to connect now. */
  reconnect(): void;
  /** Any route, with the credential of this session. */
  readonly rest: Rest;

  // ---- conversations
  /** The default conversation with an agent, or a new one with a title; its id. */
  openConversation(agentId: string, title?: string): Promise<string>;
  rename(conversationId: string, title: string | null): Promise<void>;
  pin(conversationId: string, pinned: boolean): Promise<void>;
  archive(conversationId: string, archived: boolean): Promise<void>;
  /** `null`: not muted. RFC 3339; the year 9999 is for ever. */
  mute(conversationId: string, until: string | null): Promise<void>;
  tag(conversationId: string, tag: string, on: boolean): Promise<void>;
  deleteConversation(conversationId: string): Promise<void>;
  /** Called by the view that shows it; the newest messages are read from this device first. */
  show(conversationId: string): void;
  loadOlder(conversationId: string): void;
  loadNewer(conversationId: string): void;
  /** Let the timeline be around a message. Resolves when it is in it. */
  loadAround(conversationId: string, messageId: string): Promise<void>;
  /** A message that is answered from far away, into `quoted`. */
  loadQuoted(messageId: string): void;
  /** Back to the newest messages. */
  loadLatest(conversationId: string): Promise<void>;
  /** Everything up to here has been seen. */
  markRead(conversationId: string, upTo: number): void;
  setDraft(conversationId: string, text: string): void;

  // ---- messages
  send(conversationId: string, content: string, options?: SendOptions): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  edit(message: Message, content: string): Promise<void>;
  remove(message: Message): Promise<void>;
  react(message: Message, emoji: string, on: boolean): Promise<void>;
  /** Take back what still waits for its agent. */
  withdraw(message: Message): Promise<void>;
  answer(message: Message, optionIds: readonly string[], text?: string): Promise<void>;
  /** Dropped unless said every few seconds; call it on every keystroke. */
  typing(conversationId: string): void;

  // ---- runs
  stop(runId: string): Promise<void>;
  steer(runId: string, text: string): Promise<void>;

  // ---- finding
  /** On this device, newest first; at most `limit`. */
  searchHere(query: string, limit: number): Promise<Message[]>;
  search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage>;

  // ---- files
  /** Encrypted on the way if its conversation is: then it is a `SealedFile`. */
  upload(file: Blob, options: { conversationId: string; signal: AbortSignal; onProgress(sent: number, total: number): void }): Promise<Attachment>;
  /** Good for `<img>`, `<video>` and downloads, for a while; asked for anew when it has gone stale. */
  fileUrl(attachment: Attachment, kind?: "file" | "thumbnail"): Promise<string>;
  /** What is in a file of an encrypted message. Rejects with `file_tampered` if it is not the one that was sent. */
  openFile(file: SealedFile): Promise<Blob>;
  /** What files of a conversation are, as far as this device can read the encrypted messages that bring them. */
  describe(files: readonly Attachment[]): Promise<readonly Attachment[]>;

  // ---- encryption
  /** This device has keys, without which nobody reads here again what was sealed for it. They go with signing out. */
  keepsKeys(): boolean;
  setEncryption(conversationId: string, on: boolean): Promise<void>;
  /** A person compared the numbers. Keys that have changed are believed from now on. */
  markVerified(conversationId: string): Promise<void>;
  /** What encrypted messages say and bring, also those that are in no timeline; a text of null: this device cannot read it. */
  decipher(messages: readonly Message[]): Promise<Deciphered>;

  // ---- agents
  refreshAgents(): Promise<AgentInfo[]>;
}

const ActionsContext = createContext<Actions | undefined>(undefined);

/** Given by the app; tests give their own. */
export const ActionsProvider = ActionsContext.Provider;

export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (actions === undefined) throw new Error("this view stands outside of ActionsProvider");
  return actions;
}
