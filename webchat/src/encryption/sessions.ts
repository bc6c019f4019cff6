/**
 * Sessions with agents: begun, written in, read in.
 *
 * Knows the store and the format. Each step reads what it needs, computes, and writes in one transaction that looks
 * again, since WebCrypto may not be waited for inside of one.
 */

import type { Encryption, Message, Rest } from "@amtrio/client";
import { initiate, newAgreementKey, respond, type AgreementKey } from "./agreement.ts";
import { equal, keyOf, spelt, unspelt, utf8, type Bytes } from "./bytes.ts";
import { FORMAT, MAX_TEXT_BYTES, SALT_BYTES, read, type Envelope, type Opening } from "./envelope.ts";
import { EncryptionError, type Unreadable } from "./errors.ts";
import { packed, unpacked, type DescribedFile, type Payload } from "./payload.ts";
import { pin } from "./peers.ts";
import { requireReady, take } from "./publishing.ts";
import { open as opened, seal as sealed, type Role } from "./sealing.ts";
import { ownKeys, type OwnKeys, type SessionRow, type Store } from "./store.ts";

/** For the command `encrypted_message`, beside its place and its `client_id`. */
export interface SealedMessage extends Encryption {
  readonly ciphertext: string;
}

/** As much of a message as it takes to open it. */
export type SealedPart = Pick<Message, "message_id" | "conversation_id" | "sender_type" | "sender_id" | "content" | "encryption">;
export type Opened =
  /** `files`: absent if it brings none. */
  { readonly text: string; readonly files?: readonly DescribedFile[] } | { readonly unreadable: Unreadable };

export async function begin(store: Store, rest: Rest, user: string, conversationId: string, agentId: string): Promise<void> {
  const own = await requireReady(store);
  const peer = await take(rest, `agent/${encodeURIComponent(agentId)}`);
  const agent = `agent:${agentId}`;
  const theirs = { identity: spelt(peer.identity), signing: spelt(peer.signing) };
  if (!(await pin(store, agent, theirs))) throw new EncryptionError("changed");
  const parties = { initiator: user, responder: agent, conversationId };
  const ephemeral = await newAgreementKey();
  const mine = { identity: identityOf(own), signing: keyOf(own.signing)!, ephemeral };
  const agreed = await initiate(mine, peer, parties).catch(() => {
    throw new EncryptionError("bad_keys"); // a key of low order
  });
  const row: SessionRow = {
    id: spelt(agreed.sessionId),
    conversationId,
    peer: agent,
    peerIdentity: theirs.identity,
    ownIdentity: own.identity,
    role: "initiator",
    root: agreed.root,
    opening: {
      signing: own.signing,
      ephemeral: spelt(ephemeral.publicKey),
      prekey: spelt(peer.prekey),
      ...(peer.oneTime === undefined ? {} : { oneTime: spelt(peer.oneTime) }),
    },
  };
  const work = store.database.transaction(["sessions", "conversations"], "readwrite");
  await work.objectStore("sessions").put(row);
  await work.objectStore("conversations").put({ conversationId, on: true, sessionId: row.id });
  await work.done;
}

export async function seal(store: Store, user: string, conversationId: string, { text, files }: Payload): Promise<SealedMessage> {
  const hasFiles = files.length > 0;
  const said = hasFiles ? packed({ text, files }) : text;
  if (utf8(said).length > MAX_TEXT_BYTES) throw new EncryptionError("too_long");
  const own = await requireReady(store);
  const work = store.database.transaction(["sessions", "conversations", "peers"]);
  const conversation = await work.objectStore("conversations").get(conversationId);
  const session = conversation?.sessionId ? await work.objectStore("sessions").get(conversation.sessionId) : undefined;
  const peer = session && (await work.objectStore("peers").get(session.peer));
  if (session === undefined || peer === undefined) throw new EncryptionError("no_session");
  if (peer.offered !== null) throw new EncryptionError("changed");
  // The agent's keys were accepted after a change, or this browser has others: the session is with somebody of before.
  if (peer.identity !== session.peerIdentity || own.identity !== session.ownIdentity) throw new EncryptionError("no_session");
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const { root, role } = session;
  const made = { root, sessionId: unspelt(session.id)!, opening: openingOf(session) };
  return {
    ciphertext: await sealed(made, role, { conversationId, sender: user }, salt, said, hasFiles),
    // Its nonce is made with its key, so it brings none for the server to see.
    algorithm: "opaque",
    message_type: FORMAT,
    sender_key_id: session.ownIdentity,
    recipient_key_id: session.peerIdentity,
  };
}

/** Never throws because of what a message holds. */
export async function open(store: Store, user: string, message: SealedPart): Promise<Opened> {
  if (message.encryption?.message_type !== FORMAT) return { unreadable: "malformed" };
  const envelope = read(message.content);
  if (typeof envelope === "string") return { unreadable: envelope };
  const sender = `${message.sender_type === "agent" ? "agent" : "user"}:${message.sender_id}`;
  const known = await store.database.get("sessions", spelt(envelope.sessionId));
  const begun = known ?? (await answered(store, user, sender, message, envelope));
  if (typeof begun === "string") return { unreadable: begun };
  const isOwn = sender === user;
  // Whoever shares a session could seal in it what is said to be another's, or said elsewhere.
  if (begun.conversationId !== message.conversation_id || (!isOwn && begun.peer !== sender)) return { unreadable: "tampered" };
  const role: Role = isOwn ? begun.role : begun.role === "initiator" ? "responder" : "initiator";
  const text = await opened(begun.root, role, { conversationId: message.conversation_id, sender }, envelope);
  if (text === undefined) return { unreadable: "tampered" };
  const payload = envelope.hasFiles ? unpacked(text) : { text };
  if (payload === undefined) return { unreadable: "malformed" };
  // What this account says itself may come again after the server came back from a backup.
  const isNew = isOwn || (await note(store, begun, envelope, message.message_id));
  return isNew ? payload : { unreadable: "replayed" };
}

/** The session that somebody else began with this message; not kept yet. Or why there is none. */
async function answered(
  store: Store,
  user: string,
  sender: string,
  message: SealedPart,
  { opening, sessionId }: Envelope,
): Promise<SessionRow | Unreadable> {
  const own = await ownKeys(store);
  // What the server says of the keys chooses between words, and nothing else.
  const { sender_key_id: from, recipient_key_id: to } = message.encryption ?? {};
  const isForOther = own === undefined || (sender === user ? from : to) !== own.identity;
  if (own === undefined || opening === undefined || sender === user) return isForOther ? "elsewhere" : "unknown_session";
  const prekey = await prekeyOf(store, opening.prekey);
  const oneTime = opening.oneTime && (await prekeyOf(store, opening.oneTime));
  if (prekey === undefined) return isForOther ? "elsewhere" : "lost_key";
  if (opening.oneTime !== undefined && oneTime === undefined) return "lost_key";
  const mine = { identity: identityOf(own), signing: keyOf(own.signing)!, prekey, oneTime };
  const parties = { initiator: sender, responder: user, conversationId: message.conversation_id };
  const agreed = await respond(mine, opening, parties).catch(() => undefined);
  if (agreed === undefined || !equal(agreed.sessionId, sessionId)) return "tampered";
  const theirs = { identity: spelt(opening.initiator.identity), signing: spelt(opening.initiator.signing) };
  if (!(await pin(store, sender, theirs))) return "changed";
  return {
    id: spelt(sessionId),
    conversationId: message.conversation_id,
    peer: sender,
    peerIdentity: theirs.identity,
    ownIdentity: own.identity,
    role: "responder",
    root: agreed.root,
    opening: null,
  };
}

/**
 * A message of the other side was opened: it knows the session, its one-time key has served, and its salt is used up.
 *
 * Returns false if another message had that salt before.
 */
async function note(store: Store, session: SessionRow, { salt, opening }: Envelope, messageId: string): Promise<boolean> {
  const work = store.database.transaction(["sessions", "prekeys", "seen"], "readwrite");
  const [sessions, prekeys, seen] = [work.objectStore("sessions"), work.objectStore("prekeys"), work.objectStore("seen")];
  const before = await seen.get([session.id, spelt(salt)]);
  if (before === undefined) await seen.put({ sessionId: session.id, salt: spelt(salt), messageId });
  const stored = await sessions.get(session.id);
  if (stored === undefined || stored.opening !== null) await sessions.put({ ...(stored ?? session), opening: null });
  if (session.role === "responder" && opening?.oneTime !== undefined) await prekeys.delete(spelt(opening.oneTime));
  await work.done;
  return before === undefined || before.messageId === messageId;
}

async function prekeyOf(store: Store, publicKey: Bytes): Promise<AgreementKey | undefined> {
  const row = await store.database.get("prekeys", spelt(publicKey));
  return row && { privateKey: row.privateKey, publicKey };
}

function identityOf(own: OwnKeys): AgreementKey {
  return { privateKey: own.identityKey, publicKey: keyOf(own.identity)! };
}

function openingOf({ ownIdentity, opening }: SessionRow): Opening | undefined {
  if (opening === null) return undefined;
  return {
    initiator: { identity: keyOf(ownIdentity)!, signing: keyOf(opening.signing)! },
    ephemeral: keyOf(opening.ephemeral)!,
    prekey: keyOf(opening.prekey)!,
    oneTime: keyOf(opening.oneTime),
  };
}
