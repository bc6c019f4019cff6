/** Everything a person can set and see about their own account and this device. */

import { Bell, Info, Lock, Palette, Smartphone, User } from "lucide-react";
import { lazy, Suspense } from "react";
import { Spinner } from "../design/spinner.tsx";
import { useWords } from "../i18n/words.ts";
import { AboutSection } from "./about-section.tsx";
import { AccountSection } from "./account-section.tsx";
import { AppearanceSection } from "./appearance-section.tsx";
import { Frame } from "./frame.tsx";
import { SessionsSection } from "./sessions-section.tsx";
import { SignOut } from "./sign-out.tsx";
import { words } from "./words.ts";

const NotificationSettings = lazy(async () => ({
  default: (await import("../notifications/notification-settings.tsx")).NotificationSettings,
}));
const EncryptionSettings = lazy(async () => ({
  default: (await import("../encryption/encryption-settings.tsx")).EncryptionSettings,
}));

const SECTIONS = [
  { id: "account", Icon: User, View: AccountSection },
  { id: "appearance", Icon: Palette, View: AppearanceSection },
  { id: "notifications", Icon: Bell, View: NotificationSettings },
  { id: "sessions", Icon: Smartphone, View: SessionsSection },
  { id: "encryption", Icon: Lock, View: EncryptionSettings },
  { id: "about", Icon: Info, View: AboutSection },
] as const;

export function Settings({ section }: { readonly section?: string | undefined }) {
  const t = useWords(words);
  const { View } = SECTIONS.find(({ id }) => id === section) ?? SECTIONS[0];
  return (
    <Frame
      title={t("settings")}
      address="/settings"
      current={section}
      sections={SECTIONS.map(({ id, Icon }) => ({ id, title: t(id), icon: <Icon size={20} aria-hidden /> }))}
      foot={<SignOut />}
    >
      <Suspense fallback={<Spinner />}>
        <View />
      </Suspense>
    </Frame>
  );
}
