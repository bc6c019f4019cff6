/** A file that was made or fetched here, into the person's folder of downloads. */

// A download that has begun reads its address no more; when it begins is up to the browser, and nobody is told. As long as
// FileSaver.js waits.
const ADDRESS_LIVES_MS = 40_000;

export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), ADDRESS_LIVES_MS);
}
