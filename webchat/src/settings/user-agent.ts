/** What a program says of itself when it signs in, as people would call it. */

// The first that fits: most browsers also claim to be the ones before them.
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|HeadlessChrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/[\d.]+.*Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMacintosh\b|\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

export interface Described {
  /** Undefined if it says nothing that is known; `program` is then what it says. */
  readonly system: string | undefined;
  /** Empty if it says nothing. */
  readonly program: string;
  readonly isPhone: boolean;
}

export function describe(userAgent: string): Described {
  const program = PROGRAMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const isPhone = system === "iPhone" || (system === "Android" && /\bMobile\b/.test(userAgent));
  if (program !== undefined) return { program, system, isPhone };
  const first = userAgent.split(/[\s(]/, 1)[0]!;
  // The word with which every browser begins says nothing.
  return { program: first.startsWith("Mozilla/") ? "" : first.replace("/", " "), system, isPhone };
}
