/** Invitations that come by the address: when the page is opened, and later. */

import { useEffect, useEffectEvent } from "react";
import { hideInvitation, invitationInAddress } from "./invitation.ts";

/** Tell the token, once it is out of the address. */
export function useInvitation(onFound: (token: string) => void): void {
  const tell = useEffectEvent(onFound);
  useEffect(() => {
    const follow = (): void => {
      const found = invitationInAddress();
      if (found === undefined) return;
      hideInvitation();
      tell(found);
    };
    follow();
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
}
