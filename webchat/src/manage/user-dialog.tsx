/** One person: what they may, where they are signed in, another password, the end. */

import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Switch } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Confirm } from "../settings/confirm.tsx";
import { useLoaded } from "../settings/loading.ts";
import { Fact, Facts } from "../settings/rows.tsx";
import { Select } from "../settings/select.tsx";
import { TIERS, useTierName, type Tier } from "../settings/tiers.ts";
import { Copyable } from "../welcome/copyable.tsx";
import { Problem } from "../welcome/problem.tsx";
import styles from "./manage.module.css";
import type { AdminUser } from "./shapes.ts";
import { UserSessions } from "./user-sessions.tsx";
import { words } from "./words.ts";

interface UserDialogProps {
  readonly user: AdminUser;
  readonly onChanged: (user: AdminUser) => void;
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

export function UserDialog({ user, onChanged, onDeleted, onClose }: UserDialogProps) {
  const t = useWords(words);
  const tierName = useTierName();
  const { rest } = useActions();
  const work = useWork();
  const [asking, setAsking] = useState<"admin" | "password" | "delete">();
  const [password, setPassword] = useState<string>();
  const name = user.username;
  const path = `/admin/users/${encodeURIComponent(user.user_id)}`;

  async function change(body: { tier?: string; is_admin?: boolean }): Promise<void> {
    onChanged(await rest.call<AdminUser>("PATCH", path, { body }));
  }

  async function resetPassword(): Promise<void> {
    const made = await rest.call<{ password: string }>("POST", `${path}/password`, { body: {} });
    setPassword(made.password);
    onChanged({ ...user, sessions: 0 });
  }

  async function remove(): Promise<void> {
    await rest.call("DELETE", path);
    onDeleted();
  }

  return (
    <>
      <Dialog title={name} onClose={onClose}>
        <Facts>
          <Fact name={t("id")}>
            <code>{user.user_id}</code>
          </Fact>
          <Fact name={t("since")}>{fullTime(new Date(user.created_at))}</Fact>
          <Fact name={t("lastSeen")}>{user.last_seen === null ? t("never") : fullTime(new Date(user.last_seen))}</Fact>
          <Fact name={t("connections")}>{user.connections}</Fact>
          <Fact name={t("requests")}>
            <Budget key={user.tier} userId={user.user_id} />
          </Fact>
        </Facts>
        <Select
          label={t("tier")}
          value={user.tier}
          isDisabled={work.isPending}
          options={TIERS.map((value) => ({ value: value as string, label: tierName(value) }))}
          onChange={(tier) => void work.run(() => change({ tier: tier as Tier }))}
        />
        <Switch
          label={t("administrator")}
          hint={t("administratorHint")}
          checked={user.is_admin}
          disabled={work.isPending}
          onChange={(is) => (is ? setAsking("admin") : void work.run(() => change({ is_admin: false })))}
        />
        <Problem error={work.error} meanings={{ conflict: t("lastAdministrator") }} />
        <section className={styles["part"]}>
          <h3>{t("sessions")}</h3>
          <UserSessions
            // Another password ends them all.
            key={password}
            user={user}
            onCount={(sessions) => {
              if (sessions !== user.sessions) onChanged({ ...user, sessions });
            }}
          />
        </section>
        <section className={styles["part"]}>
          <h3>{t("password")}</h3>
          {password === undefined ? (
            <Button onClick={() => setAsking("password")}>{t("resetPassword")} …</Button>
          ) : (
            <div role="status" className={styles["part"]}>
              <p>{t("passwordOnce", { name })}</p>
              <Copyable label={t("password")} text={password} />
            </div>
          )}
        </section>
        <section className={styles["part"]}>
          <h3>{t("deleteUser")}</h3>
          <Button look="danger" onClick={() => setAsking("delete")}>
            {t("deleteUser")} …
          </Button>
        </section>
      </Dialog>
      {asking === "admin" && (
        <Confirm
          title={t("makeAdministrator")}
          action={t("makeAdministrator")}
          onConfirm={() => change({ is_admin: true })}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("makeAdministratorText", { name })}</p>
        </Confirm>
      )}
      {asking === "password" && (
        <Confirm
          title={t("resetPassword")}
          action={t("resetPassword")}
          onConfirm={resetPassword}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("resetPasswordText", { name })}</p>
        </Confirm>
      )}
      {asking === "delete" && (
        <Confirm
          title={t("deleteUser")}
          action={t("deleteUser")}
          typed={name}
          meanings={{ conflict: t("lastAdministrator") }}
          onConfirm={remove}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("deleteUserText", { name })}</p>
        </Confirm>
      )}
    </>
  );
}

interface BudgetShown {
  readonly limit: number;
  readonly remaining: number;
}

/** What the tier comes to. */
function Budget({ userId }: { readonly userId: string }) {
  const t = useWords(words);
  const { rest } = useActions();
  const budget = useLoaded(
    useCallback(
      (signal) => rest.call<BudgetShown>("GET", "/admin/rate-limit/tier", { query: { user_id: userId }, signal }),
      [rest, userId],
    ),
  );
  if (budget.error !== undefined) return "–";
  if (budget.data === undefined) return "…";
  const { limit, remaining } = budget.data;
  return limit === 0 ? t("noLimit") : t("budget", { limit, remaining });
}
