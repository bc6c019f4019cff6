import { expect, test, vi } from "vitest";
import { download } from "../../src/attachments/download.ts";

test("a file is saved under its name; its address is good until the browser has surely begun, and is freed then", () => {
  vi.useFakeTimers();
  const file = new Blob(["words"]);
  const addressed = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  const freed = vi.spyOn(URL, "revokeObjectURL").mockReturnValue();
  const saved: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(`${this.download} from ${this.href}`);
  });

  download(file, "Holiday.md");
  expect(addressed).toHaveBeenCalledExactlyOnceWith(file);
  expect(saved).toEqual(["Holiday.md from blob:x"]);
  vi.advanceTimersByTime(39_000);
  expect(freed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(freed).toHaveBeenCalledExactlyOnceWith("blob:x");
  vi.useRealTimers();
});
