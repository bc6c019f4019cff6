/**
 * Which tab of this browser speaks for all of them: the one that had the focus last.
 *
 * It is the one that may play sounds (browsers want a click in it first), and the one that knows what is looked at.
 */

const LOCK = "amtrio.speaker";

export interface Speaker {
  readonly isSpeaker: boolean;
  stop(): void;
}

export function becomeSpeaker(locks: LockManager | undefined = navigator.locks): Speaker {
  // Without locks (a page that is not served securely) each tab tells; system notifications there are none then.
  if (locks === undefined) return { isSpeaker: true, stop: () => undefined };
  let release: () => void = () => undefined;
  let isSpeaker = false;
  let isStopped = false;

  async function ask(steal: boolean): Promise<void> {
    if (isStopped || (steal && isSpeaker)) return;
    try {
      await locks!.request(LOCK, { steal }, async () => {
        if (isStopped) return;
        isSpeaker = true;
        await new Promise<void>((resolve) => (release = resolve));
      });
    } catch (error) {
      const isStolen = error instanceof DOMException && error.name === "AbortError";
      // Another tab was given the focus: wait until it is gone, or this one is looked at again. Any other
      // error says that there are no locks to be had here.
      isSpeaker = !isStolen && !isStopped;
      if (isStolen) void ask(false);
    }
  }

  const takeOver = (): void => void ask(true);
  addEventListener("focus", takeOver);
  void ask(document.hasFocus());
  return {
    get isSpeaker() {
      return isSpeaker;
    },
    stop() {
      removeEventListener("focus", takeOver);
      isStopped = true;
      isSpeaker = false;
      release();
    },
  };
}
