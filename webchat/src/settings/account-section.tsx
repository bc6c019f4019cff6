/** One's own account: what it is, another password, taking everything along, leaving. */

import type { Account } from "@amtrio/client";
import { useCallback, useId } from "react";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { bytes, fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./account-section.module.css";
import { Await } from "./await.tsx";
import { DeleteAccount } from "./delete-account.tsx";
import { ExportAccount } from "./export-account.tsx";
import { Group } from "./frame.tsx";
import { useLoaded } from "./loading.ts";
import { PasswordForm } from "./password-form.tsx";
import { Badge, Fact, Facts } from "./rows.tsx";
import { useTierName } from "./tiers.ts";
import { words } from "./words.ts";

export function AccountSection() {
  const t = useWords(words);
  const { rest } = useActions();
  // Known from before, perhaps from a day ago: how much is stored changes with every file.
  const known = useChat((state) => state.account);
  const account = useLoaded(useCallback(() => rest.account(), [rest]));
  return (
    <>
      <Group>
        <Await loaded={{ ...account, data: account.data ?? known }}>{(data) => <AccountFacts account={data} />}</Await>
      </Group>
      <Group title={t("changePassword")} hint={t("changePasswordHint")}>
        <PasswordForm />
      </Group>
      <Group title={t("export")} hint={t("exportHint")}>
        <ExportAccount />
      </Group>
      <Group title={t("deleteAccount")} hint={t("deleteAccountHint")}>
        <DeleteAccount />
      </Group>
    </>
  );
}

function AccountFacts({ account }: { readonly account: Account }) {
  const t = useWords(words);
  const tierName = useTierName();
  return (
    <Facts>
      <Fact name={t("name")}>
        {account.username} {account.is_admin && <Badge>{t("administrator")}</Badge>}
      </Fact>
      <Fact name={t("tier")}>{tierName(account.tier)}</Fact>
      <Fact name={t("since")}>{fullTime(new Date(account.created_at))}</Fact>
      <Fact name={t("storage")}>
        <StorageMeter storage={account.storage} />
      </Fact>
    </Facts>
  );
}

// From here on it is worth a look: the next film may not fit any more.
const NEARLY_FULL = 0.9;

function StorageMeter({ storage }: { readonly storage: Account["storage"] }) {
  const t = useWords(words);
  const label = useId();
  const { used_bytes: used, quota_bytes: quota, files } = storage;
  const text =
    quota === 0
      ? t("stored", { n: files, used: bytes(used) })
      : t("storedOf", { n: files, used: bytes(used), quota: bytes(quota) });
  return (
    <>
      <span id={label}>{text}</span>
      {quota > 0 && (
        <div
          className={styles["meter"]}
          role="meter"
          aria-labelledby={label}
          aria-valuemin={0}
          aria-valuemax={quota}
          aria-valuenow={Math.min(used, quota)}
          aria-valuetext={text}
          data-full={used / quota >= NEARLY_FULL || undefined}
        >
          <span style={{ width: `${Math.min(100, (used / quota) * 100)}%` }} />
        </div>
      )}
    </>
  );
}
