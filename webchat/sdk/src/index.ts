/** Client of an amtrio server. See docs/protocol.md for what the words mean. */

export { Backoff } from "./backoff.js";
export { connect, Connection, newClientId, type ConnectionOptions, type SendOptions } from "./connection.js";
export { countCodePoints, indexOfCodePoint, sliceCodePoints } from "./code-points.js";
export type { DownloadOptions } from "./download.js";
export {
  AuthenticationEnded,
  ClientError,
  Closed,
  Refused,
  Replaced,
  Unreachable,
  type Refusal,
  type Retry,
} from "./errors.js";
export type { AmtrioEvent, EventData, EventType } from "./events.js";
export type { Data } from "./frames.js";
export { LiveRuns, type RunNews } from "./live-runs.js";
export { pageHints, type Hint, type Hints } from "./hints.js";
export { MemoryStore, WebStorageStore, type PositionStore } from "./position-store.js";
export { Rest, type Account, type ConversationsQuery, type RestOptions, type Session, type SignedIn } from "./rest.js";
export { applyDelta, applySnapshot, partsOf, statusOf, textOf, type PartView, type RunView } from "./run-view.js";
export type * from "./shapes.js";
export type { SocketEvent, WebSocketConstructor, WebSocketLike } from "./socket.js";
export type { UploadOptions } from "./upload.js";
export type {
  HistoryPage,
  HistoryQuery,
  MessageSent,
  OpenQuestion,
  RunState,
  SearchPage,
  SearchQuery,
  SendWord,
  TellWord,
  TellWords,
  Words,
} from "./words.js";
