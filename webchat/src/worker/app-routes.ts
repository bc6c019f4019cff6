/** Which addresses the app itself answers. Everything else is the server's: its API, its documents, its files. */

const ROUTES = /^\/(index\.html|(c|settings|manage|find)(\/.*)?)?$/;

export function isAppRoute(path: string): boolean {
  return ROUTES.test(path);
}
