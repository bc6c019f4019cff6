/**
 * What is open beside the list: the menu of one message, or a dialog about a message or the conversation.
 *
 * At most one of each, for the whole page. Whoever opens says where the focus goes back to.
 */

import type { Message } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export interface OpenMenu {
  readonly message: Message;
  /** Has the focus again when it closes. */
  readonly opener: HTMLElement;
  /** Where it was asked for; else beside the opener. */
  readonly at: { readonly x: number; readonly y: number } | undefined;
  /** Begin with the choice of an emoji. */
  readonly isPicking: boolean;
}

export type OpenDialog =
  | { readonly kind: "details" | "edits" | "remove"; readonly message: Message }
  | {
      readonly kind:
        | "agent"
        | "another"
        | "delete"
        | "encryption"
        | "export"
        | "files"
        | "mute"
        | "rename"
        | "tags";
    };

interface Opened {
  readonly menu: OpenMenu | undefined;
  readonly dialog: OpenDialog | undefined;
}

const opened = createStore<Opened>(() => ({ menu: undefined, dialog: undefined }));

export function useOpened<Part>(select: (state: Opened) => Part): Part {
  return useStore(opened, select);
}

export function openMenu(message: Message, opener: HTMLElement, at?: OpenMenu["at"], isPicking = false): void {
  opened.setState({ menu: { message, opener, at, isPicking } });
}

/** What the menu floats beside: a point, or what opened it. */
export function anchorOf({ at, opener }: OpenMenu): { x: number; y: number; width: number; height: number } {
  return at === undefined ? opener.getBoundingClientRect() : { ...at, width: 0, height: 0 };
}

export function closeMenu(): void {
  const { menu } = opened.getState();
  if (menu === undefined) return;
  opened.setState({ menu: undefined });
  if (menu.opener.isConnected) menu.opener.focus({ preventScroll: true });
}

export function openDialog(dialog: OpenDialog): void {
  opened.setState({ dialog });
}

export function closeDialog(): void {
  opened.setState({ dialog: undefined });
}

/** When the conversation is left. */
export function closeAll(): void {
  opened.setState({ menu: undefined, dialog: undefined });
}
