/** The sizes that a browser would give: the list shows ten rows of 50 pixels each. Happy DOM lays nothing out. */

import { afterEach, beforeEach, vi } from "vitest";

export const VIEWPORT_PX = 500;
export const ROW_PX = 50;

export function pretendLayout(): void {
  beforeEach(() => {
    const height = (element: HTMLElement): number => {
      if (element.getAttribute("role") === "log") return VIEWPORT_PX;
      return element.hasAttribute("data-index") ? ROW_PX : 0;
    };
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
      return height(this);
    });
    vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(800);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockImplementation(function (this: HTMLElement) {
      return height(this);
    });
    vi.spyOn(HTMLElement.prototype, "scrollHeight", "get").mockImplementation(function (this: HTMLElement) {
      const rows = this.firstElementChild as HTMLElement | null;
      return this.getAttribute("role") === "log" ? Number.parseFloat(rows?.style.height ?? "0") : 0;
    });
    // As in a browser: never past the end, and told of a little later.
    const top = Object.getOwnPropertyDescriptor(Element.prototype, "scrollTop")!;
    vi.spyOn(Element.prototype, "scrollTop", "set").mockImplementation(function (this: Element, wanted: number) {
      const before = this.scrollTop;
      top.set!.call(this, Math.max(0, Math.min(wanted, this.scrollHeight - this.clientHeight)));
      if (this.scrollTop !== before) queueMicrotask(() => this.dispatchEvent(new Event("scroll")));
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}
