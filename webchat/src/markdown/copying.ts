/** Text into the clipboard, also where the page is served without TLS and the browser keeps its own way closed. */

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard at all (not a secure context), or no permission.
    if (!copyBySelection(text)) throw new Error("the browser does not let this page copy");
  }
}

/** The same, and formatted for programs that take that. */
export async function copyFormatted(text: string, html: string): Promise<void> {
  const item = (): ClipboardItem =>
    new ClipboardItem({
      "text/plain": new Blob([text], { type: "text/plain" }),
      "text/html": new Blob([html], { type: "text/html" }),
    });
  try {
    await navigator.clipboard.write([item()]);
  } catch {
    const add = (event: ClipboardEvent): void => {
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
      event.clipboardData?.setData("text/html", html);
    };
    addEventListener("copy", add, { capture: true });
    try {
      await copyText(text);
    } finally {
      removeEventListener("copy", add, { capture: true });
    }
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  // Behind an open dialog nothing takes the focus.
  (focused?.closest("dialog") ?? document.body).append(field);
  field.focus({ preventScroll: true });
  field.select();
  try {
    return document.execCommand("copy");
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
