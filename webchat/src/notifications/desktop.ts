/** Notifications of the system, one per conversation: shown while the page is out of sight, gone once it was read. */

export interface Notice {
  readonly conversationId: string;
  readonly messageId: string;
  /** The message's number; reading up to it closes the notice. */
  readonly seq: number;
  readonly title: string;
  readonly body: string;
}

export type Permission = "unsupported" | NotificationPermission;

export function permission(): Permission {
  return typeof Notification === "undefined" ? "unsupported" : Notification.permission;
}

/** After a click only: browsers refuse to ask otherwise, some for good. */
export async function askPermission(): Promise<Permission> {
  return typeof Notification === "undefined" ? "unsupported" : Notification.requestPermission();
}

export class DesktopNotices {
  readonly #open = new Map<string, { notification: Notification; seq: number }>();
  readonly #onClick: (notice: Notice) => void;

  constructor(onClick: (notice: Notice) => void) {
    this.#onClick = onClick;
  }

  /** Takes the place of the one before of that conversation, also of one that the server pushed. */
  show(notice: Notice): void {
    if (permission() !== "granted") return;
    const { conversationId, seq, title, body } = notice;
    let notification: Notification;
    try {
      // The tag is the server's: docs/protocol.md, "Push". Sounds are the page's own.
      const options = { body, tag: `conversation-${conversationId}`, icon: "/icon-180.png", silent: true };
      notification = new Notification(title, options);
    } catch {
      return; // Android shows those of a service worker only, and that is what push is for there.
    }
    notification.addEventListener("click", () => {
      notification.close();
      this.#onClick(notice);
    });
    this.#open.set(conversationId, { notification, seq });
  }

  /** Whatever was read, here or on another device. Undefined: the conversation is gone. */
  close(readUpTo: (conversationId: string) => number | undefined): void {
    for (const [conversationId, { notification, seq }] of this.#open) {
      if ((readUpTo(conversationId) ?? Number.POSITIVE_INFINITY) < seq) continue;
      notification.close();
      this.#open.delete(conversationId);
    }
  }
}
