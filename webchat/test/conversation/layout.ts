/** The sizes that a browser would give: the list shows ten rows of 50 pixels each. Happy DOM lays nothing out. */

import { afterEach, beforeEach, vi } from "vitest";

export const VIEWPORT_PX = 500;
export const ROW_PX = 50;

export function pretendLayout(): void {
  beforeEach(() => {
    const height = (element: HTMLElement): number => {
      if (element.role === "log" || element.getAttribute("role") === "log") return VIEWPORT_PX;
      return element.hasAttribute("data-index") ? ROW_PX : 0;
    };
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
      return height(this);
    });
    vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(800);
    vi.spyOn(Element.prototype, "clientHeight", "get").mockImplementation(function (this: Element) {
      return this instanceof HTMLElement ? height(this) : 0;
    });
    vi.spyOn(Element.prototype, "scrollHeight", "get").mockImplementation(function (this: Element) {
      const rows = this.firstElementChild as HTMLElement | null;
      return this.getAttribute("role") === "log" ? Number.parseFloat(rows?.style.height ?? "0") : 0;
    });
  });
  afterEach(() => vi.restoreAllMocks());
}
