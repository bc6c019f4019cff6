/**
 * The sizes that a browser would give: the list shows ten rows of 50 pixels each, until one grows. Happy DOM lays
 * nothing out and observes no sizes.
 */

import { act } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

export const VIEWPORT_PX = 500;
export const ROW_PX = 50;

interface PretendedLayout {
  /** A row gets another height, and everybody who watches it is told, as after a frame. */
  grow(place: HTMLElement, px: number): Promise<void>;
}

export function pretendLayout(): PretendedLayout {
  const grown = new Map<HTMLElement, number>();
  const observers = new Set<FakeResizeObserver>();
  const height = (element: HTMLElement): number => {
    if (element.getAttribute("role") === "log") return VIEWPORT_PX;
    return element.hasAttribute("data-index") ? (grown.get(element) ?? ROW_PX) : 0;
  };

  class FakeResizeObserver {
    readonly watched = new Set<Element>();
    readonly tell: ResizeObserverCallback;
    constructor(tell: ResizeObserverCallback) {
      this.tell = tell;
      observers.add(this);
    }
    observe(element: Element): void {
      this.watched.add(element);
    }
    unobserve(element: Element): void {
      this.watched.delete(element);
    }
    disconnect(): void {
      this.watched.clear();
    }
  }

  beforeEach(() => {
    vi.stubGlobal("ResizeObserver", FakeResizeObserver);
    const sizes = HTMLElement.prototype;
    vi.spyOn(sizes, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
      return height(this);
    });
    vi.spyOn(sizes, "offsetWidth", "get").mockReturnValue(800);
    vi.spyOn(sizes, "clientHeight", "get").mockImplementation(function (this: HTMLElement) {
      return height(this);
    });
    vi.spyOn(sizes, "scrollHeight", "get").mockImplementation(function (this: HTMLElement) {
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
    vi.unstubAllGlobals();
    vi.useRealTimers();
    grown.clear();
    observers.clear();
  });

  return {
    async grow(place, px) {
      grown.set(place, px);
      const size = { blockSize: px, inlineSize: 800 };
      const entry = { target: place, borderBoxSize: [size] } as unknown as ResizeObserverEntry;
      await act(async () => {
        for (const observer of observers) {
          if (observer.watched.has(place)) observer.tell([entry], observer as unknown as ResizeObserver);
        }
      });
    },
  };
}
