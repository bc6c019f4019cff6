/** Everybody with an account. */

import { useCallback, useState } from "react";
import { Field } from "../design/field.tsx";
import { useActions } from "../engine/actions.ts";
import { ago, bytes } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { usePages } from "../settings/loading.ts";
import { Badge } from "../settings/rows.tsx";
import { Select } from "../settings/select.tsx";
import { TIERS, useTierName, type Tier } from "../settings/tiers.ts";
import { useSettled } from "./settled.ts";
import styles from "./manage.module.css";
import type { AdminUser } from "./shapes.ts";
import { PagedTable, type Column } from "./table.tsx";
import { UserDialog } from "./user-dialog.tsx";
import { words } from "./words.ts";

export function UsersSection() {
  const t = useWords(words);
  const tierName = useTierName();
  const { rest } = useActions();
  const [text, setText] = useState("");
  const [tier, setTier] = useState<Tier | "">("");
  const [openId, setOpenId] = useState<string>();
  const q = useSettled(text.trim());
  const users = usePages<AdminUser, string>(
    useCallback(
      async (cursor, signal) => {
        const query = { q: q || undefined, tier: tier || undefined, cursor };
        type Answer = { users: AdminUser[]; next: string | null };
        const page = await rest.call<Answer>("GET", "/admin/users", { query, signal });
        return { items: page.users, next: page.next };
      },
      [rest, q, tier],
    ),
  );
  const open = users.data?.find((user) => user.user_id === openId);
  const columns: Column<AdminUser>[] = [
    {
      key: "name",
      label: t("name"),
      isHead: true,
      renderCell: (user) => (
        <>
          <button type="button" className={styles["open"]} onClick={() => setOpenId(user.user_id)}>
            {user.username}
          </button>{" "}
          {user.is_admin && <Badge>{t("administrator")}</Badge>}
        </>
      ),
    },
    { key: "tier", label: t("tier"), renderCell: (user) => tierName(user.tier) },
    { key: "seen", label: t("lastSeen"), renderCell: (user) => <Seen user={user} /> },
    { key: "sessions", label: t("sessions"), renderCell: (user) => user.sessions },
    { key: "files", label: t("files"), renderCell: (user) => bytes(user.storage_bytes) },
  ];
  return (
    <>
      <div className={styles["filters"]}>
        <Field
          label={t("search")}
          type="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Select
          label={t("tier")}
          value={tier}
          options={[{ value: "", label: t("all") }, ...TIERS.map((value) => ({ value, label: tierName(value) }))]}
          onChange={setTier}
        />
      </div>
      <PagedTable
        label={t("users")}
        columns={columns}
        pages={users}
        idOf={(user) => user.user_id}
        none={t("nobodyFound")}
      />
      {open !== undefined && (
        <UserDialog
          user={open}
          onChanged={(user) => users.change((now) => now.map((each) => (each.user_id === user.user_id ? user : each)))}
          onDeleted={() => users.change((now) => now.filter((each) => each.user_id !== open.user_id))}
          onClose={() => setOpenId(undefined)}
        />
      )}
    </>
  );
}

function Seen({ user }: { readonly user: AdminUser }) {
  const t = useWords(words);
  if (user.connections > 0) return <Badge tone="good">{t("online")}</Badge>;
  return user.last_seen === null ? t("never") : ago(new Date(user.last_seen));
}
