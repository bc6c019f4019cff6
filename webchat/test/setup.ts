/** What every unit test starts with: a database and nothing left over from the test before. */

import { cleanup, configure } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach } from "vitest";

// How long is waited for what never comes; a machine that is busy with something else is no fault of the client.
configure({ asyncUtilTimeout: 5000 });

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(cleanup);
