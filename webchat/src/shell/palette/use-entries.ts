/** The entries of this moment: chats, agents and commands, with what they do. */

import { useMemo } from "react";
import { useLocation } from "wouter";
import { chooseTheme } from "../../design/theme.ts";
import { notifyError } from "../../design/toast.tsx";
import { useActions, type Actions } from "../../engine/actions.ts";
import { useChat, type ChatConversation } from "../../engine/state.ts";
import { choose, LANGUAGES, type Language } from "../../i18n/language.ts";
import { useWords } from "../../i18n/words.ts";
import { changePreferences, usePreferences } from "../../notifications/preferences.ts";
import { agentName, chatName } from "../names.ts";
import { openOverlay } from "../overlay.ts";
import { chatPlace, conversationAt, findPlace, MANAGE, managePlace, settingsPlace } from "../places.ts";
import { listed } from "../sidebar/order.ts";
import type { Entry } from "./entries.ts";
import { words } from "./words.ts";

const SECTIONS = {
  account: "settingsAccount",
  appearance: "settingsAppearance",
  notifications: "settingsNotifications",
  sessions: "settingsSessions",
  encryption: "settingsEncryption",
} as const;

const MANAGED = { users: "manageUsers", agents: "manageAgents", invitations: "manageInvitations" } as const;

type Conversations = Readonly<Record<string, ChatConversation>>;

export function useEntries(): readonly Entry[] {
  const chats = useChats();
  const agents = useAgents();
  return [...chats, ...agents, ...useCommands()];
}

function useChats(): readonly Entry[] {
  const [path, navigate] = useLocation();
  const openId = conversationAt(path);
  const conversations = useChat((state) => state.conversations);
  const agents = useChat((state) => state.agents);
  return useMemo(() => {
    const ids = [...listed(conversations, {}, "all"), ...listed(conversations, {}, "archived")];
    return ids.map((id): Entry => {
      const conversation = conversations[id]!;
      const name = agentName(agents, conversation.agent_id);
      return {
        id: `chat:${id}`,
        kind: "chat",
        label: chatName(conversation, agents),
        also: [name, agents[conversation.agent_id]?.specialty ?? "", ...conversation.tags].join(" "),
        agent: { id: conversation.agent_id, name },
        isHere: id === openId,
        run: () => navigate(chatPlace(id)),
      };
    });
  }, [conversations, agents, navigate, openId]);
}

function useAgents(): readonly Entry[] {
  const actions = useActions();
  const [path, navigate] = useLocation();
  const openId = conversationAt(path);
  const agents = useChat((state) => state.agents);
  const conversations = useChat((state) => state.conversations);
  return useMemo(
    () =>
      Object.values(agents).flatMap((agent): Entry[] => {
        const chats = Object.values(conversations).filter((each) => each.agent_id === agent.agent_id);
        const own = chats.find((each) => each.is_default);
        // Its own chat bears its name, or is the only one: that is found by the same words and leads to the same place.
        if (own !== undefined && !own.archived && (own.title === null || chats.length === 1)) return [];
        const id = agent.agent_id;
        const open = async (): Promise<void> => navigate(chatPlace(await actions.openConversation(id)));
        const entry: Entry = {
          id: `agent:${id}`,
          kind: "agent",
          label: agentName(agents, id),
          also: agent.specialty ?? "",
          agent: { id, name: agentName(agents, id) },
          isHere: own !== undefined && own.conversation_id === openId,
          run: () => void open().catch(notifyError),
        };
        return [entry];
      }),
    [agents, conversations, openId, actions, navigate],
  );
}

function useCommands(): readonly Entry[] {
  const t = useWords(words);
  const actions = useActions();
  const [, navigate] = useLocation();
  const isAdministrator = useChat((state) => state.account?.is_admin === true);
  const isOffline = useChat((state) => state.link.kind !== "online");
  const conversations = useChat((state) => state.conversations);
  const { sound } = usePreferences();
  const command = (id: string, label: string, run: () => void): Entry => ({ id, kind: "command", label, run });
  const managed = Object.entries(MANAGED).map(([section, word]) =>
    command(`manage-${section}`, t(word), () => navigate(managePlace(section))),
  );
  return [
    command("new-chat", t("newChat"), () => openOverlay("new-chat")),
    command("find", t("find"), () => navigate(findPlace())),
    command("mark-all-read", t("markAllRead"), () => markAllRead(conversations, actions)),
    command("settings", t("settings"), () => navigate(settingsPlace())),
    ...Object.entries(SECTIONS).map(([section, word]) =>
      command(`settings-${section}`, t(word), () => navigate(settingsPlace(section))),
    ),
    command("theme-light", t("light"), () => chooseTheme("light")),
    command("theme-dark", t("dark"), () => chooseTheme("dark")),
    command("theme-system", t("systemTheme"), () => chooseTheme("system")),
    ...Object.entries(LANGUAGES).map(([language, name]) =>
      command(`language-${language}`, t("language", { name }), () => choose(language as Language)),
    ),
    command("language-system", t("systemLanguage"), () => choose("system")),
    command("sound", t(sound ? "soundOff" : "soundOn"), () => changePreferences({ sound: !sound })),
    command("shortcuts", t("shortcuts"), () => openOverlay("shortcuts")),
    ...(isOffline ? [command("reconnect", t("reconnect"), () => actions.reconnect())] : []),
    ...(isAdministrator ? [command("manage", t("manage"), () => navigate(MANAGE)), ...managed] : []),
    command("sign-out", t("signOut"), () => openOverlay("sign-out")),
  ];
}

function markAllRead(conversations: Conversations, actions: Actions): void {
  for (const { conversation_id: id, unread, lastSeq } of Object.values(conversations)) {
    if (unread > 0) actions.markRead(id, lastSeq);
  }
}
