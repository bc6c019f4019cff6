/** The app: who is signed in decides what is shown. */

import { Toasts } from "./design/toast.tsx";

export function App() {
  return <Toasts />;
}
