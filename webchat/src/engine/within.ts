/** Waiting that has an end. */

/**
 * What becomes of `work`, or undefined if that takes longer than `ms`. It is not stopped then, and how it ends concerns
 * nobody any more.
 */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
