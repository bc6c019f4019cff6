/** The parts of a browser that make themselves heard, recorded. */

import { vi } from "vitest";

export class FakeNotification extends EventTarget {
  static permission: NotificationPermission = "granted";
  static shown: FakeNotification[] = [];
  readonly title: string;
  readonly options: NotificationOptions;
  isClosed = false;

  constructor(title: string, options: NotificationOptions) {
    super();
    this.title = title;
    this.options = options;
    FakeNotification.shown.push(this);
  }

  static async requestPermission(): Promise<NotificationPermission> {
    FakeNotification.permission = "granted";
    return "granted";
  }

  close(): void {
    this.isClosed = true;
  }
}

export function giveNotifications(permission: NotificationPermission): void {
  FakeNotification.permission = permission;
  FakeNotification.shown = [];
  vi.stubGlobal("Notification", FakeNotification);
}

/** Counts the tones of one sound as one. */
export function giveSound(): { readonly played: () => number } {
  const starts: number[] = [];
  const node = { connect: (next: unknown) => next };
  const gain = { setValueAtTime: () => gain, linearRampToValueAtTime: () => gain, exponentialRampToValueAtTime: () => gain };
  vi.stubGlobal("AudioContext", class {
    state = "running";
    currentTime = 0;
    destination = node;
    async resume(): Promise<void> {}
    async close(): Promise<void> {}
  });
  vi.stubGlobal("GainNode", class {
    gain = gain;
    connect = node.connect;
  });
  vi.stubGlobal("OscillatorNode", class {
    connect = node.connect;
    start = (at: number): void => void starts.push(at);
    stop = (): void => undefined;
  });
  return { played: () => starts.filter((at) => at === 0).length };
}
