/** `1:05`, `1:02:03`: how long something lasts. */
export function clock(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((each, index) => (index === 0 ? String(each) : String(each).padStart(2, "0"))).join(":");
}
