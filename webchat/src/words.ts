import { catalogue } from "./i18n/words.ts";

export const words = catalogue({
  en: { sessionEnded: "Your session has ended. Sign in again; what is on this device is still here." },
  de: { sessionEnded: "Deine Sitzung ist zu Ende. Melde dich wieder an; was auf diesem Gerät liegt, ist noch da." },
});
