/** Where an enlarged picture lies. Pure numbers in CSS pixels from the middle of the stage; knows no events. */

export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 };
// Eight times shows single pixels of any photo that fits a screen.
const MAX_SCALE = 8;

/** Enlarge by a factor so that what lies under (x, y) stays there. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(1, view.scale * factor));
  if (scale === 1) return WHOLE;
  const grown = scale / view.scale;
  return { scale, x: x - (x - view.x) * grown, y: y - (y - view.y) * grown };
}

export function moved(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** Not farther than its edges: a picture that is smaller than the stage stays in the middle. */
export function kept(view: View, picture: Size, stage: Size): View {
  const most = (drawn: number, room: number): number => Math.max(0, (drawn * view.scale - room) / 2);
  const x = most(picture.width, stage.width);
  const y = most(picture.height, stage.height);
  return { ...view, x: Math.min(x, Math.max(-x, view.x)), y: Math.min(y, Math.max(-y, view.y)) };
}
