/** Administration of the server. For administrators; the server holds to that, this page says so kindly. */

import { Bot, Cable, MailPlus, ScrollText, Server, Users } from "lucide-react";
import { Link } from "wouter";
import { Spinner } from "../design/spinner.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Frame } from "../settings/frame.tsx";
import { AgentsSection } from "./agents-section.tsx";
import { AuditSection } from "./audit-section.tsx";
import { ConnectionsSection } from "./connections-section.tsx";
import { InvitationsSection } from "./invitations-section.tsx";
import styles from "./no-entry.module.css";
import { ServerSection } from "./server-section.tsx";
import { UsersSection } from "./users-section.tsx";
import { words } from "./words.ts";

const SECTIONS = [
  { id: "users", Icon: Users, View: UsersSection },
  { id: "agents", Icon: Bot, View: AgentsSection },
  { id: "invitations", Icon: MailPlus, View: InvitationsSection },
  { id: "server", Icon: Server, View: ServerSection },
  { id: "connections", Icon: Cable, View: ConnectionsSection },
  { id: "audit", Icon: ScrollText, View: AuditSection },
] as const;

export function Manage({ section }: { readonly section?: string | undefined }) {
  const t = useWords(words);
  const isKnown = useChat((state) => state.account !== undefined);
  const isAdmin = useChat((state) => state.account?.is_admin === true);
  if (!isKnown) return <Spinner />;
  if (!isAdmin) return <NoEntry />;
  const { View } = SECTIONS.find(({ id }) => id === section) ?? SECTIONS[0];
  return (
    <Frame
      title={t("manage")}
      address="/manage"
      current={section}
      isWide
      sections={SECTIONS.map(({ id, Icon }) => ({ id, title: t(id), icon: <Icon size={20} aria-hidden /> }))}
    >
      <View />
    </Frame>
  );
}

function NoEntry() {
  const t = useWords(words);
  return (
    <div className={styles["page"]}>
      <h1>{t("noEntry")}</h1>
      <p>{t("noEntryText")}</p>
      <Link href="/">{t("toChats")}</Link>
    </div>
  );
}
