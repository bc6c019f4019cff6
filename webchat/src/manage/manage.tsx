/** What administrators do. */

export function Manage({ section }: { readonly section?: string | undefined }) {
  return <article data-section={section} />;
}
