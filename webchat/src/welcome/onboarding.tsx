/** The first steps of somebody who has no conversation yet. */

export function Onboarding() {
  return <article data-welcome />;
}
