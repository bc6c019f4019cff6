/** A view that fails takes only itself down: the list beside it goes on, and so does another view. */

import { Component, type ReactNode } from "react";

interface BoundaryProps {
  /** What is shown instead. */
  readonly instead: ReactNode;
  /** With another one it is tried anew. */
  readonly place: string;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly failedAt: string | undefined;
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { failedAt: undefined };

  static getDerivedStateFromError(): Partial<BoundaryState> {
    return { failedAt: "" };
  }

  static getDerivedStateFromProps({ place }: BoundaryProps, { failedAt }: BoundaryState): Partial<BoundaryState> | null {
    if (failedAt === "") return { failedAt: place };
    return failedAt !== undefined && failedAt !== place ? { failedAt: undefined } : null;
  }

  override render(): ReactNode {
    return this.state.failedAt === undefined ? this.props.children : this.props.instead;
  }
}
