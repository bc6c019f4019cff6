// The chosen theme, before anything is drawn: the app itself comes too late for that and would flash. It runs without a
// bundler and blocks the page, so it is short. The same is said in src/design/theme.ts.
try {
  const chosen = localStorage.getItem("amtrio.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.style.colorScheme = chosen;
} catch {
  // No storage in this browser: as the system says.
}
