/**
 * A browser's push service, played by a test: an address that the server posts to, and the keys of one subscription.
 *
 * What arrives is opened as a browser would (RFC 8291, RFC 8188: one record of aes128gcm). Knows nothing of the app.
 */

import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class PushService {
  readonly #server: Server;
  readonly #keys: ECDH = createECDH("prime256v1");
  readonly #auth = randomBytes(16);
  /** What the server pushed, opened, in order. */
  readonly pushed: string[] = [];

  private constructor() {
    this.#keys.generateKeys();
    this.#server = createServer((request, answer) => {
      void body(request).then((sealed) => {
        this.pushed.push(this.#open(sealed));
        answer.writeHead(201).end();
      });
    });
  }

  static async started(): Promise<PushService> {
    const service = new PushService();
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** As `PushSubscription.toJSON()` gives it. */
  get subscription(): { endpoint: string; keys: { p256dh: string; auth: string } } {
    const { port } = this.#server.address() as AddressInfo;
    const p256dh = this.#keys.getPublicKey("base64url");
    return { endpoint: `http://127.0.0.1:${port}/push/1`, keys: { p256dh, auth: this.#auth.toString("base64url") } };
  }

  #open(sealed: Buffer): string {
    const salt = sealed.subarray(0, 16);
    const keyLength = sealed[20]!;
    const senderKey = sealed.subarray(21, 21 + keyLength);
    const record = sealed.subarray(21 + keyLength);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.#keys.getPublicKey(), senderKey]);
    const secret = derived(this.#keys.computeSecret(senderKey), this.#auth, info, 32);
    const key = derived(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
    const nonce = derived(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
    const cipher = createDecipheriv("aes-128-gcm", key, nonce);
    cipher.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
    // The last byte that is not zero ends the text.
    return padded.subarray(0, padded.lastIndexOf(2)).toString("utf8");
  }
}

function derived(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
