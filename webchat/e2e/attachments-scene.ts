/** Files for the scenes about attachments, and the ways in which people bring them into a chat. */

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { TestInfo } from "@playwright/test";
import { crc32, deflateSync } from "node:zlib";
import { Rest, type Attachment } from "@amtrio/client";
import type { Locator, Page, ScriptedAgent, Server } from "./harness.ts";

export interface Given {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** A picture of stripes; with `isNoise` one that is hardly smaller than its pixels. */
export function png(name: string, width: number, height: number, isNoise = false): Given {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let at = 0; at < rows.length; at++) {
    const x = at % (1 + width * 3);
    if (x === 0) continue;
    const stripe = Math.floor(at / (1 + width * 3) / 24) % 3;
    rows[at] = isNoise ? Math.imul(at, 2_654_435_761) >>> 24 : 60 + ((x - 1) % 3 === stripe ? 160 : 0);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const bytes = Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
  return { name, type: "image/png", bytes };
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A tone. */
export function wav(name: string, seconds: number): Given {
  const rate = 8000;
  const samples = Buffer.from(Array.from({ length: rate * seconds }, (_, at) => 128 + Math.round(60 * Math.sin(at / 3))));
  const head = Buffer.alloc(44);
  for (const [at, word] of [[0, "RIFF"], [8, "WAVEfmt "], [36, "data"]] as const) head.write(word, at, "latin1");
  head.writeUInt32LE(36 + samples.length, 4);
  // One channel of bytes.
  head.writeUInt32LE(16, 16);
  for (const [at, value] of [[20, 1], [22, 1], [32, 1], [34, 8]] as const) head.writeUInt16LE(value, at);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt32LE(samples.length, 40);
  return { name, type: "audio/wav", bytes: Buffer.concat([head, samples]) };
}

export function text(name: string, content: string): Given {
  return { name, type: "text/plain", bytes: Buffer.from(content) };
}

/** Nothing that could be made smaller on the way. */
export function noise(name: string, size: number): Given {
  return { name, type: "application/octet-stream", bytes: randomBytes(size) };
}

/** Through the dialog of the system. */
export async function choose(page: Page, ...files: readonly Given[]): Promise<void> {
  const asked = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: /^(Attach files|Dateien anhängen)$/ }).click();
  await (await asked).setFiles(files.map(({ name, type, bytes }) => ({ name, mimeType: type, buffer: bytes })));
}

/** Dragged from a folder of the system over a place, and let fall there if `isDropped`. */
export async function drag(page: Page, info: TestInfo, onto: Locator, files: readonly Given[], isDropped = true): Promise<void> {
  const paths = files.map(({ name }) => info.outputPath(name));
  await Promise.all(files.map(({ bytes }, at) => writeFile(paths[at]!, bytes)));
  const debug = await page.context().newCDPSession(page);
  const box = (await onto.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    if (type !== "drop" || isDropped) await debug.send("Input.dispatchDragEvent", { type, x, y, data });
  }
  await debug.detach();
}

/** What was copied elsewhere; needs the permissions `clipboard-read` and `clipboard-write`. */
export async function pastePicture(page: Page, { bytes }: Given): Promise<void> {
  await page.evaluate(async (base64) => {
    const picture = Uint8Array.from(atob(base64), (each) => each.codePointAt(0)!);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([picture], { type: "image/png" }) })]);
  }, bytes.toString("base64"));
  await page.keyboard.press("Control+v");
}

export async function pasteText(page: Page, copied: string): Promise<void> {
  await page.evaluate((each) => navigator.clipboard.writeText(each), copied);
  await page.keyboard.press("Control+v");
}

export const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };

/** Let what the page sends leave it this fast. Returns how to end that, also for what is on its way. */
export async function throttle(page: Page, bytesPerSecond: number): Promise<() => Promise<void>> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Network.enable");
  const limit = async (uploadThroughput: number): Promise<void> => {
    const speeds = { downloadThroughput: -1, uploadThroughput };
    await debug.send("Network.emulateNetworkConditions", { offline: false, latency: 0, ...speeds });
  };
  await limit(bytesPerSecond);
  return () => limit(-1);
}

/** The files of an agent. */
export function restOf(agent: ScriptedAgent, server: Server): Rest {
  return new Rest({ url: server.url, token: agent.token, agentId: agent.id });
}

/** A message of the agent with these files. */
export async function sendFiles(agent: ScriptedAgent, server: Server, where: string, content: string, ...files: readonly Given[]): Promise<Attachment[]> {
  const rest = restOf(agent, server);
  const sent: Attachment[] = [];
  for (const { name, type, bytes } of files) sent.push(await rest.upload(new File([new Uint8Array(bytes)], name, { type })));
  await agent.send(where, content, { attachment_ids: sent.map((each) => each.attachment_id) });
  return sent;
}

export const tray = (page: Page): Locator => page.getByRole("list", { name: /^(Files to send|Dateien zum Senden)$/ });

export const chip = (page: Page, name: string): Locator => tray(page).getByRole("listitem").filter({ hasText: name });

export const sendButton = (page: Page): Locator => page.getByRole("button", { name: /^(Send|Senden)$/ });
