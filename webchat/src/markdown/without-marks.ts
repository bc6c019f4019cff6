/** Without the signs of Markdown that say nothing where a text is seen in one line or read out; line feeds become spaces. */
export function withoutMarks(markdown: string): string {
  return (
    markdown
      .replace(/^\s*(?:```\S*|#{1,6}\s|>\s?|[-*+]\s)/gm, "")
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/(\*{1,3}|~~|`{1,3})([^\s*~`](?:[^*~`]*[^\s*~`])?)\1/g, "$2")
      // Names_like_this stay whole.
      .replace(/(?<!\w)(_{1,3})([^\s_](?:[^_]*[^\s_])?)\1(?!\w)/g, "$2")
      .replace(/\s+/g, " ")
      .trim()
  );
}
