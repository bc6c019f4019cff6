/** Files let fall where nobody takes them: a browser would open them in place of the chat, or beside it. */

/** For the life of the page. Whoever takes files calls `preventDefault` before. */
export function refuseStrayDrops(): void {
  addEventListener("dragover", (event) => {
    if (!isStray(event)) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = "none";
  });
  addEventListener("drop", (event) => {
    if (isStray(event)) event.preventDefault();
  });
}

function isStray({ defaultPrevented, dataTransfer, target }: DragEvent): boolean {
  const isForField = target instanceof HTMLInputElement && target.type === "file";
  return !defaultPrevented && !isForField && dataTransfer !== null && dataTransfer.types.includes("Files");
}
