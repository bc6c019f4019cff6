/** What one can set. */

export function Settings({ section }: { readonly section?: string | undefined }) {
  return <article data-section={section} />;
}
