/**
 * Encryption of conversations as the rest of the app sees it: which are secret, what encrypted messages say.
 *
 * The keys and all that is done with them stand in `encryption/`, which is fetched when the first conversation needs
 * it. Knows the state and the vault. Knows no view.
 */

import type { AmtrioEvent, Attachment, Message, Rest } from "@amtrio/client";
import type { Vault } from "../encryption/vault.ts";
import type { OutboxRow } from "./database.ts";
import { describedOf, isCiphertext, isSealed, sealedFilesOf, type SealedFile } from "./sealed-files.ts";
import { chat, isSecret, type ChatState, type Secrecy } from "./state.ts";

/** What messages say and bring, by their ids. */
export type Deciphered = Pick<ChatState, "plain" | "sealedFiles">;

/** With an account behind it: that another person encrypts here, too, must not make anybody's conversations plain. */
const KEY = "amtrio.vault.";

/** Looked at before anything else: the pieces of answers must not cost a look at the disk each. */
const CONCERN_KEYS: ReadonlySet<string> = new Set(["identity_key_changed", "one_time_keys_low", "snapshot"]);

export class Secrets {
  readonly #userId: string;
  readonly #rest: Rest;
  #vault: Promise<Vault> | undefined;
  /** Ids of messages that are being opened. */
  readonly #opening = new Set<string>();
  readonly #stop: () => void;
  #isClosed = false;

  constructor(userId: string, rest: Rest) {
    this.#userId = userId;
    this.#rest = rest;
    this.#stop = chat.subscribe((state, before) => {
      if (state.timelines !== before.timelines || state.quoted !== before.quoted) this.#reveal(state);
    });
  }

  /** A conversation was encrypted on this device, some time. */
  get isUsed(): boolean {
    return localStorage.getItem(KEY + this.#userId) !== null;
  }

  /** Whether what is said there is to be sealed, as far as it is known right now; undefined: to be looked up (`isOn`). */
  isOnNow(conversationId: string): boolean | undefined {
    if (isSecret(chat.getState().secrecy[conversationId])) return true;
    // Nobody has looked yet, or another tab has turned it on since.
    return this.isUsed ? undefined : false;
  }

  /** The same. What cannot be looked up counts as yes: nothing goes out in the clear for want of an answer. */
  async isOn(conversationId: string): Promise<boolean> {
    const known = this.isOnNow(conversationId);
    if (known !== undefined) return known;
    try {
      const isOn = await (await this.#open()).isOn(conversationId);
      if (isOn) void this.#tell(conversationId).catch(() => undefined);
      return isOn;
    } catch {
      return true;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    (await this.#vault?.catch(() => undefined))?.close();
  }

  /** Nobody can read afterwards what was encrypted, but the agents. */
  async erase(): Promise<void> {
    await this.close();
    const { isUsed } = this;
    // First: what a frozen tab holds up may take for ever, and whoever signs in next has none of these keys.
    localStorage.removeItem(KEY + this.#userId);
    // Also where none was used: the settings have looked for keys.
    const removal = import("../encryption/vault.ts").then(({ removeVault }) => removeVault(this.#userId));
    await (isUsed ? removal : removal.catch(() => undefined));
  }

  /** A conversation is shown: say how it stands with it. */
  async look(conversationId: string): Promise<void> {
    if (!this.isUsed) return;
    await this.#tell(conversationId);
    const agentId = agentOf(conversationId);
    const vault = await this.#open();
    if (agentId === undefined || !(await vault.isOn(conversationId))) return;
    // A change may have been told while nobody listened.
    await vault.refreshPeer(this.#rest, agentId);
    await this.#tell(conversationId);
  }

  async turn(conversationId: string, on: boolean): Promise<void> {
    const vault = await this.#open();
    const agentId = agentOf(conversationId);
    if (agentId === undefined) return;
    if (!on) {
      await vault.setOn(conversationId, false);
      return this.#tell(conversationId);
    }
    if (!(await vault.hasKeys(this.#rest, agentId))) this.#set(conversationId, { kind: "unavailable" });
    await vault.begin(this.#rest, conversationId, agentId);
    localStorage.setItem(KEY + this.#userId, "used");
    await this.#tell(conversationId);
  }

  /** A person compared the numbers. Changed keys are believed from now on. */
  async verify(conversationId: string): Promise<void> {
    const vault = await this.#open();
    const [agentId, shown] = [agentOf(conversationId), chat.getState().secrecy[conversationId]];
    if (agentId === undefined || !isSecret(shown)) return;
    if (shown.kind === "changed" && (await vault.accept(agentId, shown.safetyNumber))) {
      await vault.begin(this.#rest, conversationId, agentId);
    }
    await vault.markVerified(agentId, shown.safetyNumber);
    await this.#tellAll();
  }

  /** What encrypted messages say and bring; a text of null: this browser cannot read it. */
  async decipher(messages: readonly Message[]): Promise<Deciphered> {
    const plain: Record<string, string | null> = {};
    const sealedFiles: Record<string, readonly SealedFile[]> = {};
    try {
      const vault = this.isUsed ? await this.#open() : undefined;
      for (const message of messages) {
        const opened = await vault?.open(message);
        const isRead = opened !== undefined && "text" in opened;
        plain[message.message_id] = isRead ? opened.text : null;
        if (isRead && opened.files !== undefined) sealedFiles[message.message_id] = sealedFilesOf(opened.files, message.attachments ?? []);
      }
    } catch {
      for (const { message_id: id } of messages) plain[id] ??= null;
    }
    return { plain, sealedFiles };
  }

  async seal({ conversationId, content, attachments }: OutboxRow): Promise<Readonly<Record<string, string>>> {
    // They were there before it was turned on. To leave them out would be to lose them.
    if (!attachments.every(isSealed)) throw new (await import("../encryption/errors.ts")).EncryptionError("files");
    const vault = await this.#open();
    const files = attachments.map(describedOf);
    const seal = async () => ({ ...(await vault.seal(conversationId, content, files)) }) as unknown as Readonly<Record<string, string>>;
    try {
      return await seal();
    } catch (error) {
      const agentId = agentOf(conversationId);
      // The session was with other keys, such as those that were replaced in the settings.
      if ((error as { code?: unknown }).code !== "no_session" || agentId === undefined) throw error;
      await vault.begin(this.#rest, conversationId, agentId);
      return seal();
    }
  }

  /** The server has the keys of this browser, and enough of them. */
  async publish(): Promise<void> {
    if (!this.isUsed) return;
    const vault = await this.#open();
    if ((await vault.standing()).state === "ready") await vault.publish(this.#rest);
  }

  async apply(event: AmtrioEvent): Promise<void> {
    if (!CONCERN_KEYS.has(event.type) || !this.isUsed) return;
    if (event.type === "one_time_keys_low") await (await this.#open()).publish(this.#rest);
    if (event.type === "snapshot") await (await this.#open()).forgetSeen();
    if (event.type !== "identity_key_changed") return;
    const vault = await this.#open();
    if (event.data.account_kind === "agent") await vault.refreshPeer(this.#rest, event.data.account_id);
    else if (event.data.account_id === this.#userId) await vault.publish(this.#rest);
    await this.#tellAll();
  }

  /**
   * What files really are: those of encrypted messages are known to the server as ciphertext alone. `find` gives a message;
   * what this device cannot read, and what its message does not speak of, stays as it is.
   */
  async describe(stored: readonly Attachment[], find: (messageId: string) => Promise<Message>): Promise<readonly Attachment[]> {
    const { plain } = chat.getState();
    const ids = new Set(stored.filter(isCiphertext).map(({ message_id: id }) => id!));
    const unread = [...ids].filter((id) => !(id in plain));
    if (unread.length > 0) {
      const messages = await Promise.all(unread.map((id) => find(id).catch(() => undefined)));
      await this.#openAll(messages.filter((each) => each !== undefined).filter((each) => each.kind === "encrypted" && !each.deleted));
    }
    const { sealedFiles } = chat.getState();
    return stored.map((file) =>
      (sealedFiles[file.message_id ?? ""] ?? []).find((each) => each.attachment_id === file.attachment_id) ?? file,
    );
  }

  #open(): Promise<Vault> {
    this.#vault ??= import("../encryption/vault.ts").then(({ openVault }) => openVault(this.#userId));
    this.#vault.catch(() => (this.#vault = undefined));
    return this.#vault;
  }

  async #tellAll(): Promise<void> {
    for (const id of Object.keys(chat.getState().secrecy)) await this.#tell(id);
    this.#opening.clear();
    if (this.#isClosed) return;
    // What could not be read may be readable now.
    chat.setState(({ plain }) => ({ plain: Object.fromEntries(Object.entries(plain).filter(([, text]) => text !== null)) }));
    this.#reveal(chat.getState());
  }

  async #tell(conversationId: string): Promise<void> {
    const agentId = agentOf(conversationId);
    if (agentId === undefined) return;
    const vault = await this.#open();
    this.#set(conversationId, (await vault.isOn(conversationId)) ? await secrecyOf(vault, agentId) : { kind: "off" });
  }

  #set(conversationId: string, secrecy: Secrecy): void {
    if (!this.#isClosed) chat.setState((state) => ({ secrecy: { ...state.secrecy, [conversationId]: secrecy } }));
  }

  #reveal({ timelines, quoted, plain }: ChatState): void {
    const sealed = [...Object.values(timelines).flatMap(({ messages }) => messages), ...Object.values(quoted)]
      .filter((each) => each.kind === "encrypted" && !each.deleted);
    const fresh = sealed.filter((each) => !(each.message_id in plain) && !this.#opening.has(each.message_id));
    if (fresh.length > 0) void this.#openAll(fresh);
  }

  async #openAll(messages: readonly Message[]): Promise<void> {
    for (const { message_id: id } of messages) this.#opening.add(id);
    const { plain: texts, sealedFiles: files } = await this.decipher(messages);
    for (const { message_id: id } of messages) this.#opening.delete(id);
    // It is nothing for who is signed in by then.
    if (this.#isClosed) return;
    chat.setState(({ plain, sealedFiles }) => ({ plain: { ...plain, ...texts }, sealedFiles: { ...sealedFiles, ...files } }));
  }
}

async function secrecyOf(vault: Vault, agentId: string): Promise<Secrecy> {
  const [peer, safetyNumber = ""] = [await vault.peerState(agentId), await vault.safetyNumber(agentId)];
  if (peer.kind === "changed") return { kind: "changed", safetyNumber };
  return { kind: "on", safetyNumber, verified: peer.kind === "known" && peer.verified };
}

function agentOf(conversationId: string): string | undefined {
  return chat.getState().conversations[conversationId]?.agent_id;
}
