/**
 * The one spelling of an emoji. Data and keyboards differ in whether a selector stands behind it; the server keeps one
 * spelling, and a reaction that is shown in another one would be shown twice.
 *
 * The same rule as `one_emoji` of the server (amtrio/text/emoji.py).
 */

const SELECTORS = /[\ufe0e\ufe0f]/g;
// Drawn as text unless a selector or a skin tone says otherwise.
const SHOWN_AS_TEXT = /(?!\p{Emoji_Modifier})\p{Emoji}(?<!\p{Emoji_Presentation})(?!\p{Emoji_Modifier})/gu;

export function spelled(emoji: string): string {
  return emoji.replace(SELECTORS, "").replace(SHOWN_AS_TEXT, "$&\ufe0f");
}
