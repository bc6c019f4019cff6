/** Invitations: making one, which there are, taking one back. */

import { MailPlus } from "lucide-react";
import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Confirm } from "../settings/confirm.tsx";
import { usePages } from "../settings/loading.ts";
import { Badge } from "../settings/rows.tsx";
import { useTierName } from "../settings/tiers.ts";
import styles from "./manage.module.css";
import { NewInvitation } from "./new-invitation.tsx";
import type { Invitation } from "./shapes.ts";
import { PagedTable, type Column } from "./table.tsx";
import { words } from "./words.ts";

export function InvitationsSection() {
  const t = useWords(words);
  const tierName = useTierName();
  const { rest } = useActions();
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Invitation>();
  const invitations = usePages<Invitation, string>(
    useCallback(
      async (cursor, signal) => {
        type Answer = { invitations: Invitation[]; next: string | null };
        const page = await rest.call<Answer>("GET", "/admin/invitations", { query: { cursor }, signal });
        return { items: page.invitations, next: page.next };
      },
      [rest],
    ),
  );
  const titleOf = (invitation: Invitation): string => invitation.note || t("noNote");

  async function revoke({ invitation_id: id }: Invitation): Promise<void> {
    const revoked = await rest.call<Invitation>("DELETE", `/admin/invitations/${encodeURIComponent(id)}`);
    invitations.change((now) => now.map((each) => (each.invitation_id === id ? revoked : each)));
  }

  const columns: Column<Invitation>[] = [
    {
      key: "note",
      label: t("note"),
      isHead: true,
      renderCell: (each) => (
        <>
          {titleOf(each)} {each.is_admin && <Badge tone="warn">{t("administrator")}</Badge>}
        </>
      ),
    },
    { key: "status", label: t("state"), renderCell: (each) => <Status status={each.status} /> },
    { key: "tier", label: t("tier"), renderCell: (each) => tierName(each.tier) },
    { key: "uses", label: t("usesLeft"), renderCell: (each) => each.uses_left },
    { key: "expires", label: t("expires"), renderCell: (each) => fullTime(new Date(each.expires_at)) },
    {
      key: "revoke",
      label: t("action"),
      renderCell: (each) =>
        each.status === "open" && (
          <Button aria-label={t("revokeInvitation", { name: titleOf(each) })} onClick={() => setRevoking(each)}>
            {t("takeBack")}
          </Button>
        ),
    },
  ];
  return (
    <>
      <div className={styles["bar"]}>
        <Button look="primary" onClick={() => setMaking(true)}>
          <MailPlus size={18} aria-hidden /> {t("invite")}
        </Button>
      </div>
      <PagedTable
        label={t("invitations")}
        columns={columns}
        pages={invitations}
        idOf={(each) => each.invitation_id}
        none={t("noInvitations")}
      />
      {isMaking && (
        <Dialog title={t("invite")} onClose={() => setMaking(false)}>
          <NewInvitation onMade={invitations.reload} onClose={() => setMaking(false)} />
        </Dialog>
      )}
      {revoking !== undefined && (
        <Confirm
          title={t("takeBack")}
          action={t("takeBack")}
          onConfirm={() => revoke(revoking)}
          onClose={() => setRevoking(undefined)}
        >
          <p>{t("takeBackText", { name: titleOf(revoking) })}</p>
        </Confirm>
      )}
    </>
  );
}

const STATUS = {
  open: { word: "statusOpen", tone: "good" },
  used: { word: "statusUsed", tone: "plain" },
  expired: { word: "statusExpired", tone: "plain" },
  revoked: { word: "statusRevoked", tone: "bad" },
} as const;

function Status({ status }: { readonly status: string }) {
  const t = useWords(words);
  const known = STATUS[status as keyof typeof STATUS];
  return known === undefined ? <Badge>{status}</Badge> : <Badge tone={known.tone}>{t(known.word)}</Badge>;
}
