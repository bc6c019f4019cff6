/** Which names and passwords the server takes, so that a person is told before it says no. */

// As the server has them: `check_username` and `check_strength`.
const USERNAME = /^[A-Za-z0-9_]{3,50}$/;
const MIN_CHARACTERS = 8;
const MAX_BYTES = 1024;

export function isUsername(text: string): boolean {
  return USERNAME.test(text);
}

/** Null: it is one. Characters are code points here as there. */
export function passwordFault(text: string): "tooShort" | "tooLong" | null {
  if ([...text].length < MIN_CHARACTERS) return "tooShort";
  return new TextEncoder().encode(text).length > MAX_BYTES ? "tooLong" : null;
}
