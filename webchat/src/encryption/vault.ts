/**
 * A person's keys in this browser, and all that is done with them; what the rest of the app knows of encryption.
 *
 * Everything stands in a database, so several tabs may use it at once, and so may several vaults of one person.
 * Nothing here throws because of what others send: `open` says why it cannot. The others reject with `EncryptionError`,
 * whose text is for people, or with `ClientError` of the SDK where the server is asked.
 */

import type { Rest } from "@amtrio/client";
import { fingerprint, safetyNumber } from "./comparing.ts";
import { keyOf } from "./bytes.ts";
import { EncryptionError } from "./errors.ts";
import type { DescribedFile } from "./payload.ts";
import { accept, offer, peerOf, stateOf, verify, type PeerState } from "./peers.ts";
import { look, publish, spelling, type Claim } from "./publishing.ts";
import { begin, open, seal, type Opened, type SealedMessage, type SealedPart } from "./sessions.ts";
import { openStore, ownKeys, removeStore, standing, type PublicIdentity, type Standing, type Store } from "./store.ts";

/** Whether this browser can: not over plain HTTP (but on the same machine), nor if it is older than X25519 in it. */
export async function canEncrypt(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign"]);
    return true;
  } catch {
    return false;
  }
}

/** Rejects with `EncryptionError` (`unsupported`). */
export async function openVault(userId: string): Promise<Vault> {
  if (!(await canEncrypt())) throw new EncryptionError("unsupported");
  return new Vault(userId, await openStore(userId));
}

/** At sign-out, after a warning: what was encrypted can be read by nobody afterwards, but by the agents. */
export async function removeVault(userId: string): Promise<void> {
  await removeStore(userId);
}

export class Vault {
  readonly userId: string;
  readonly #account: string;
  readonly #store: Store;

  constructor(userId: string, store: Store) {
    this.userId = userId;
    this.#account = `user:${userId}`;
    this.#store = store;
  }

  // ------------------------------------------------------------------------------------------------- one's own keys

  /**
   * Make sure that the server has the keys of this browser, if no other browser's are in their place: once after
   * signing in where `standing` is `ready`, on `one_time_keys_low`, and on `identity_key_changed` of one's own account.
   */
  async publish(rest: Rest): Promise<Standing> {
    return this.#claim(rest, "if_free");
  }

  /** Become the browser that encrypts for this account. Agents see that the keys have changed. */
  async takeOver(rest: Rest): Promise<Standing> {
    return this.#claim(rest, "take_over");
  }

  /** The same, with new keys. What could be read here still can. */
  async reset(rest: Rest): Promise<Standing> {
    return this.#claim(rest, "reset");
  }

  /** As it was when the server was asked last. */
  async standing(): Promise<Standing> {
    return standing(this.#store);
  }

  /** 30 digits of this browser's keys; undefined if there are none. */
  async fingerprint(): Promise<string | undefined> {
    const own = await ownKeys(this.#store);
    return own && fingerprint(identityOf(this.#account, own));
  }

  // ------------------------------------------------------------------------------------------------- conversations

  /** Begin a (new) session and turn encryption on. Publishes first. Rejects with `changed` as long as it is. */
  async begin(rest: Rest, conversationId: string, agentId: string): Promise<void> {
    if ((await this.publish(rest)).state === "elsewhere") throw new EncryptionError("elsewhere");
    // Else a browser that is short of room may throw the keys away. Some ask the person, who may take their time.
    void navigator.storage?.persist?.().catch(() => false);
    await begin(this.#store, rest, this.#account, conversationId, agentId);
  }

  async isOn(conversationId: string): Promise<boolean> {
    return (await this.#store.database.get("conversations", conversationId))?.on ?? false;
  }

  /** On: in the session that there is; `begin` makes one. */
  async setOn(conversationId: string, on: boolean): Promise<void> {
    const work = this.#store.database.transaction("conversations", "readwrite");
    const row = await work.store.get(conversationId);
    await work.store.put({ ...(row ?? { conversationId, sessionId: null }), on });
    await work.done;
  }

  /** The fields of the command `encrypted_message`. Send the same again under its `client_id`, as often as needed. */
  async seal(conversationId: string, text: string, files: readonly DescribedFile[] = []): Promise<SealedMessage> {
    return seal(this.#store, this.#account, conversationId, { text, files });
  }

  /** The text and files of a message of `kind` `encrypted`, one's own too; as often as wanted. */
  async open(message: SealedPart): Promise<Opened> {
    return open(this.#store, this.#account, message);
  }

  /** The server came back from a backup (another `epoch`): what others said since may come again as other messages. */
  async forgetSeen(): Promise<void> {
    await this.#store.database.clear("seen");
  }

  // -------------------------------------------------------------------------------------------------------- agents

  async peerState(agentId: string): Promise<PeerState> {
    return stateOf(await this.#peer(agentId));
  }

  /** Ask the server which keys an agent has now: on its `identity_key_changed`, and when its conversation is shown. */
  async refreshPeer(rest: Rest, agentId: string): Promise<PeerState> {
    const found = await look(rest, agentId, "agent");
    const identity = spelling(found?.identity_key.public_key);
    const signing = spelling(found?.identity_key.signing_key);
    if (identity !== undefined && signing !== undefined) await offer(this.#store, `agent:${agentId}`, { identity, signing });
    return this.peerState(agentId);
  }

  /** Whether an agent has published keys at all. */
  async hasKeys(rest: Rest, agentId: string): Promise<boolean> {
    return (await look(rest, agentId, "agent"))?.signed_prekey !== undefined;
  }

  /**
   * Believe the changed keys. Then `begin` again. `number`: the safety number that was shown; with it, returns false if
   * the keys have changed once more since.
   */
  async accept(agentId: string, number?: string): Promise<boolean> {
    const peer = await this.#peer(agentId);
    if (!peer?.offered || (number !== undefined && (await this.safetyNumber(agentId)) !== number)) return false;
    return accept(this.#store, peer.account, peer.offered);
  }

  /** `number`: the one that was compared. Returns whether it is still the one. */
  async markVerified(agentId: string, number: string): Promise<boolean> {
    const peer = await this.#peer(agentId);
    if (peer === undefined || (await this.safetyNumber(agentId)) !== number) return false;
    return verify(this.#store, peer.account, peer.offered ?? peer);
  }

  /** 60 digits; of the changed keys if they have changed. Undefined before the first session. */
  async safetyNumber(agentId: string): Promise<string | undefined> {
    const [own, peer] = [await ownKeys(this.#store), await this.#peer(agentId)];
    if (own === undefined || peer === undefined) return undefined;
    return safetyNumber(identityOf(this.#account, own), identityOf(peer.account, peer.offered ?? peer));
  }

  close(): void {
    this.#store.close();
  }

  async #claim(rest: Rest, claim: Claim): Promise<Standing> {
    return publish(this.#store, rest, this.userId, claim);
  }

  async #peer(agentId: string) {
    return peerOf(this.#store, `agent:${agentId}`);
  }
}

function identityOf(account: string, { identity, signing }: PublicIdentity) {
  return { account, identity: keyOf(identity)!, signing: keyOf(signing)! };
}
