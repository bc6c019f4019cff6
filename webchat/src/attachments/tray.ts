/**
 * Files that wait beside what is being written, by conversation, and their way to the server.
 *
 * Not part of any view: uploads go on while one looks at another chat. Knows nothing of how it is drawn.
 */

import { Refused, Unreachable, type Attachment } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { endReply } from "../conversation/intent.ts";
import type { Actions } from "../engine/actions.ts";
import { isSealed } from "../engine/sealed-files.ts";
import { chat, isSecret } from "../engine/state.ts";
import { bytes } from "../i18n/dates.ts";
import { sayNow } from "../i18n/words.ts";
import { isPassing, waitMs } from "./retrying.ts";
import { roomOn, USUAL_MAX_PER_MESSAGE } from "./room.ts";
import { words } from "./words.ts";

// Browsers open six connections to one HTTP/1.1 server; the rest of the app needs some of them.
const AT_ONCE = 3;

export interface TrayFile {
  readonly id: string;
  readonly file: File;
  /** Of pictures; freed with the file. */
  readonly previewUrl: string | undefined;
  readonly state: "waiting" | "uploading" | "uploaded" | "failed";
  /** Bytes that have left. */
  readonly sent: number;
  /** Why it failed; for people. */
  readonly error: string | undefined;
  /** It passes: it is tried again by itself, after a while and when there is a connection again. */
  readonly isCutOff: boolean;
  readonly attachment: Attachment | undefined;
}

/** What is sent as soon as every file is on the server. */
export interface Parcel {
  readonly content: string;
  readonly replyTo: string | undefined;
}

export interface Tray {
  readonly files: readonly TrayFile[];
  /** What was not taken, and why; for people. */
  readonly refusals: readonly string[];
  readonly parcel: Parcel | undefined;
  /** How many parcels have gone out: the field is emptied when it grows. */
  readonly delivered: number;
}

interface Job {
  readonly conversationId: string;
  readonly actions: Actions;
  readonly controller: AbortController;
  /** It was held against the limits of the server. */
  isChecked: boolean;
  /** How often in a row it was cut off. */
  failures: number;
  timer?: ReturnType<typeof setTimeout>;
}

const EMPTY: Tray = { files: [], refusals: [], parcel: undefined, delivered: 0 };
const FRESH = { state: "waiting", sent: 0, error: undefined, isCutOff: false, attachment: undefined } as const;
const trays = createStore<Readonly<Record<string, Tray>>>(() => ({}));
const jobs = new Map<string, Job>();
let last = 0;

export function trayOf(conversationId: string): Tray {
  return trays.getState()[conversationId] ?? EMPTY;
}

export function useTray(conversationId: string): Tray {
  return useStore(trays, (state) => state[conversationId] ?? EMPTY);
}

/** Put files in and send them off. Returns their ids; what the server would not take goes out again, with a reason. */
export function addFiles(conversationId: string, files: readonly File[], actions: Actions): string[] {
  const added = files.map((file): TrayFile => {
    const previewUrl = file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined;
    const id = `file-${++last}`;
    jobs.set(id, { conversationId, actions, controller: new AbortController(), isChecked: false, failures: 0 });
    return { ...FRESH, id, file, previewUrl };
  });
  change(conversationId, (tray) => ({ ...tray, files: [...tray.files, ...added] }));
  void begin(conversationId, actions);
  return added.map((each) => each.id);
}

/** Say why something was not taken. */
export function refuse(conversationId: string, reason: string): void {
  const others = trayOf(conversationId).refusals.filter((each) => each !== reason);
  change(conversationId, (tray) => ({ ...tray, refusals: [...others, reason] }));
}

export function dismissRefusal(conversationId: string, reason: string): void {
  change(conversationId, (tray) => ({ ...tray, refusals: tray.refusals.filter((each) => each !== reason) }));
}

/** Take a file out, and back from the server if it is there. */
export function removeFile(conversationId: string, id: string): void {
  const file = trayOf(conversationId).files.find((each) => each.id === id);
  if (file === undefined) return;
  const { actions } = forget(file)!;
  if (file.attachment !== undefined) takeBack(actions, file.attachment);
  change(conversationId, (tray) => ({ ...tray, files: tray.files.filter((each) => each.id !== id) }));
  pump();
  deliver(conversationId, actions);
}

/**
 * Encryption was turned on or off: what has been uploaded in the other way is uploaded anew. In the clear it would give away
 * what its message hides; sealed, nobody could open it without.
 */
function renewUnfit(conversationId: string): void {
  const secrecy = chat.getState().secrecy[conversationId];
  if (secrecy === undefined) return;
  for (const { id, attachment } of trayOf(conversationId).files) {
    if (attachment === undefined || isSealed(attachment) === isSecret(secrecy)) continue;
    takeBack(jobs.get(id)!.actions, attachment);
    update(conversationId, id, { ...FRESH });
  }
}

/** What is in no message after a day is deleted anyway. */
function takeBack(actions: Actions, { attachment_id: id }: Attachment): void {
  actions.rest.call("DELETE", `/attachments/${encodeURIComponent(id)}`).catch(() => undefined);
}

export function retryFile(conversationId: string, id: string): void {
  clearTimeout(jobs.get(id)?.timer);
  update(conversationId, id, { state: "waiting", error: undefined, isCutOff: false, sent: 0 });
  pump();
}

/** After its files have become part of a message. */
export function emptyTray(conversationId: string): void {
  for (const file of trayOf(conversationId).files) forget(file);
  change(conversationId, ({ delivered }) => ({ ...EMPTY, delivered }));
}

/** Send as soon as the last upload is over; at once if it is. */
export function sendWhenUploaded(conversationId: string, parcel: Parcel, actions: Actions): void {
  change(conversationId, (tray) => ({ ...tray, parcel }));
  deliver(conversationId, actions);
}

export function cancelSending(conversationId: string): void {
  change(conversationId, (tray) => ({ ...tray, parcel: undefined }));
}

async function begin(conversationId: string, actions: Actions): Promise<void> {
  const room = await roomOn(actions.rest);
  const max = room?.max_per_message ?? USUAL_MAX_PER_MESSAGE;
  let left = room !== undefined && room.quota_bytes > 0 ? room.quota_bytes - room.used_bytes : Infinity;
  // What goes out again takes nobody's place.
  let taken = 0;
  for (const each of trayOf(conversationId).files) {
    const job = jobs.get(each.id)!;
    if (job.isChecked) {
      taken += 1;
      continue;
    }
    job.isChecked = true;
    const name = each.file.name;
    const size = bytes(each.file.size);
    if (taken >= max) {
      drop(conversationId, each, sayNow(words, "tooMany", { n: max }));
    } else if (room !== undefined && each.file.size > room.max_file_bytes) {
      drop(conversationId, each, sayNow(words, "tooLarge", { name, size, limit: bytes(room.max_file_bytes) }));
    } else if (each.file.size > left) {
      drop(conversationId, each, sayNow(words, "noRoom", { name, size, left: bytes(Math.max(left, 0)) }));
    } else {
      left -= each.file.size;
      taken += 1;
    }
  }
  pump();
  deliver(conversationId, actions);
}

function drop(conversationId: string, file: TrayFile, reason: string): void {
  forget(file);
  change(conversationId, (tray) => ({ ...tray, files: tray.files.filter((each) => each.id !== file.id) }));
  refuse(conversationId, reason);
}

/** Let the next ones go, oldest first. */
function pump(): void {
  if (chat.getState().link.kind === "offline") return;
  const all = Object.values(trays.getState()).flatMap((tray) => tray.files);
  const running = all.filter((each) => each.state === "uploading").length;
  const next = all.filter((each) => each.state === "waiting" && jobs.get(each.id)!.isChecked).slice(0, Math.max(0, AT_ONCE - running));
  for (const each of next) void upload(each);
}

async function upload({ id, file }: TrayFile): Promise<void> {
  const job = jobs.get(id)!;
  const { conversationId, actions, controller } = job;
  const { signal } = controller;
  update(conversationId, id, { state: "uploading" });
  try {
    const onProgress = (sent: number): void => update(conversationId, id, { sent });
    const attachment = await actions.upload(file, { conversationId, signal, onProgress });
    job.failures = 0;
    update(conversationId, id, { state: "uploaded", sent: file.size, attachment });
  } catch (error) {
    const isCutOff = isPassing(error) && !signal.aborted;
    if (isCutOff) job.timer = setTimeout(() => retryIfCutOff(conversationId, id), waitMs(++job.failures, error));
    update(conversationId, id, { state: "failed", error: reasonOf(error), isCutOff });
  }
  pump();
  deliver(conversationId, actions);
}

/** Without a connection it waits for that. */
function retryIfCutOff(conversationId: string, id: string): void {
  const file = trayOf(conversationId).files.find((each) => each.id === id);
  if (file?.isCutOff && chat.getState().link.kind === "online") retryFile(conversationId, id);
}

/** For people: what happens often is said in their language. */
function reasonOf(error: unknown): string {
  if (error instanceof Unreachable) return sayNow(words, "cutOff");
  if (error instanceof Refused && error.code === "quota_exceeded") return sayNow(words, "full");
  if (error instanceof Refused && error.code === "too_large") return sayNow(words, "serverLimit");
  return error instanceof Error ? error.message : String(error);
}

/** Send what waits for its files, once they are all there. A failed one keeps it back: its sender decides. */
function deliver(conversationId: string, actions: Actions): void {
  const { files, parcel } = trayOf(conversationId);
  if (parcel === undefined) return;
  if (files.some((each) => each.state === "failed" && !each.isCutOff)) return cancelSending(conversationId);
  if (files.some((each) => each.attachment === undefined)) return;
  if (files.length === 0 && parcel.content === "") return cancelSending(conversationId);
  const attachments = files.map((each) => each.attachment!);
  emptyTray(conversationId);
  change(conversationId, (tray) => ({ ...tray, delivered: tray.delivered + 1 }));
  actions.send(conversationId, parcel.content, { replyTo: parcel.replyTo, attachments });
  actions.setDraft(conversationId, "");
  if (parcel.replyTo !== undefined) endReply(conversationId, parcel.replyTo);
}

function forget(file: TrayFile): Job | undefined {
  if (file.previewUrl !== undefined) URL.revokeObjectURL(file.previewUrl);
  const job = jobs.get(file.id);
  job?.controller.abort();
  clearTimeout(job?.timer);
  jobs.delete(file.id);
  return job;
}

function change(conversationId: string, to: (tray: Tray) => Tray): void {
  trays.setState({ [conversationId]: to(trayOf(conversationId)) });
}

/** Nothing happens if it has been taken out. */
function update(conversationId: string, id: string, part: Partial<TrayFile>): void {
  const { files } = trayOf(conversationId);
  if (!files.some((each) => each.id === id)) return;
  change(conversationId, (tray) => ({
    ...tray,
    files: tray.files.map((each) => (each.id === id ? { ...each, ...part } : each)),
  }));
}

chat.subscribe((now, before) => {
  if (now.self === null && before.self !== null) {
    for (const conversationId of Object.keys(trays.getState())) emptyTray(conversationId);
  }
  if (now.secrecy !== before.secrecy) {
    for (const conversationId of Object.keys(trays.getState())) renewUnfit(conversationId);
    pump();
  }
  if (now.link.kind !== "online" || before.link.kind === "online") return;
  for (const [conversationId, tray] of Object.entries(trays.getState())) {
    for (const each of tray.files) {
      jobs.get(each.id)!.failures = 0;
      retryIfCutOff(conversationId, each.id);
    }
  }
  pump();
});
