/** Names for user ids, which is all that agents, sockets and the record of acts know of people. */

import { useCallback, useMemo } from "react";
import { useActions } from "../engine/actions.ts";
import { useLoaded } from "../settings/loading.ts";
import type { AdminUser } from "./shapes.ts";

// One page; whoever is not on it is shown by the id, which finds them as well.
const MOST = 200;

interface People {
  readonly users: readonly AdminUser[];
  readonly next: string | null;
}

/** Undefined for those who are not known, or are gone. */
export function useNames(): (userId: string) => string | undefined {
  const { rest } = useActions();
  const { data } = useLoaded(
    useCallback((signal) => rest.call<People>("GET", "/admin/users", { query: { limit: MOST }, signal }), [rest]),
  );
  return useMemo(() => {
    const names = new Map(data?.users.map((user) => [user.user_id, user.username]));
    return (userId) => names.get(userId);
  }, [data]);
}
