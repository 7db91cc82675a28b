// Refusals: what the other end sent is not what the protocol allows. What it was stays in `reason`, for the developer's console.

/** The peer's bytes are refused. */
export class RefusedError extends Error {
  /** Which rule was broken. */
  readonly reason: string;
  override readonly name: string = 'RefusedError';

  constructor(reason: string) {
    super(`the session was refused (${reason}); if the app was deployed anew, reload it`);
    this.reason = reason;
  }
}
