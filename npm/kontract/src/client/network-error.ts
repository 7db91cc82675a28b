// A failure between the client and the gateway: worth another try.

/** The gateway was not reached, or did not answer to the end. */
export class NetworkError extends Error {
  override readonly name: string = 'NetworkError';
}
