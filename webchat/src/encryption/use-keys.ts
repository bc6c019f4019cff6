/** The keys of this browser, for a view that shows them. */

import type { Rest } from "@amtrio/client";
import { useEffect, useRef, useState } from "react";
import { EncryptionError } from "./errors.ts";
import type { Standing } from "./store.ts";
import { openVault, type Vault } from "./vault.ts";

export interface Keys {
  readonly state: Standing["state"] | "unsupported";
  readonly oneTimeKeys: number;
  readonly fingerprint: string | undefined;
}

/** `keys`: undefined until they were looked at. `claim` rejects with what can be shown to a person. */
export function useKeys(userId: string, rest: Rest) {
  const [keys, setKeys] = useState<Keys>();
  const vault = useRef<Promise<Vault>>(undefined);
  useEffect(() => {
    let isShown = true;
    const opening = openVault(userId);
    vault.current = opening;
    const show = (shown: Keys) => {
      if (isShown) setKeys(shown);
    };
    const look = async () => {
      const opened = await opening;
      const known = await opened.standing();
      show(await keysOf(opened, known));
      // Another browser may have taken over meanwhile. Without a server, what is known has to do.
      if (known.state !== "none") show(await keysOf(opened, await opened.publish(rest).catch(() => known)));
    };
    look().catch((error: unknown) => {
      // That the browser cannot is for it to show; all else (the keys were deleted in another tab) ends the page soon.
      const state = error instanceof EncryptionError && error.code === "unsupported" ? "unsupported" : "none";
      show({ state, oneTimeKeys: 0, fingerprint: undefined });
    });
    return () => {
      isShown = false;
      opening.then(
        (opened) => opened.close(),
        () => undefined,
      );
    };
  }, [userId, rest]);
  const claim = async (how: "take_over" | "reset") => {
    const opened = await vault.current!;
    const standing = await (how === "reset" ? opened.reset(rest) : opened.takeOver(rest));
    setKeys(await keysOf(opened, standing));
  };
  return { keys, claim };
}

async function keysOf(vault: Vault, { state, oneTimeKeys }: Standing): Promise<Keys> {
  return { state, oneTimeKeys, fingerprint: await vault.fingerprint() };
}
