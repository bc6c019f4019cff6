/** placeholder until the engine lands */
export interface SignInOptions {
  readonly registration: "open" | "invitation" | "closed";
  readonly needs_administrator: boolean;
}
