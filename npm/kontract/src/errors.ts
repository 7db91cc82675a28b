// Errors with a status and a code. Server code throws them; the client throws the same class with the same status, code and message.

/** An error that the caller is told about. */
export class HttpError extends Error {
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** For programs: upper case, such as `NOT_FOUND`. */
  readonly code: string;
  // A literal, not the constructor's name, which minifiers change.
  override readonly name: string = 'HttpError';

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** 401: there is no valid identity. */
export class UnauthorizedError extends HttpError {
  override readonly name: string = 'UnauthorizedError';

  constructor(message = 'authentication is required', code = 'UNAUTHORIZED') {
    super(401, code, message);
  }
}

/** 403: the identity may not do this. */
export class ForbiddenError extends HttpError {
  override readonly name: string = 'ForbiddenError';

  constructor(message = 'this is not allowed', code = 'FORBIDDEN') {
    super(403, code, message);
  }
}

/** 403 `PERMISSION_DENIED`: a group or a permission bit is missing. */
export class PermissionError extends ForbiddenError {
  override readonly name: string = 'PermissionError';

  constructor(message = 'permission denied') {
    super(message, 'PERMISSION_DENIED');
  }
}

/** 404: there is no such thing. */
export class NotFoundError extends HttpError {
  override readonly name: string = 'NotFoundError';

  constructor(message = 'not found', code = 'NOT_FOUND') {
    super(404, code, message);
  }
}

/** 409: in conflict with the present state. */
export class ConflictError extends HttpError {
  override readonly name: string = 'ConflictError';

  constructor(message = 'conflict', code = 'CONFLICT') {
    super(409, code, message);
  }
}

/** 429: too many requests. */
export class RateLimitError extends HttpError {
  override readonly name: string = 'RateLimitError';

  constructor(message = 'too many requests', code = 'RATE_LIMITED') {
    super(429, code, message);
  }
}

/**
 * The field of a `ConflictError` with the code `NOT_UNIQUE`: another row has the value that a row would get in it. `undefined` for every
 * other error. A function, because a class would be a part of each client.
 */
export function takenField(error: unknown): string | undefined {
  if (!(error instanceof ConflictError) || error.code !== 'NOT_UNIQUE' || !error.message.startsWith(TAKEN)) return undefined;
  return error.message.slice(TAKEN.length);
}

/** What `runtime/mvcc` says before the field's name. */
const TAKEN = 'another row has this ';

/** The error of an answer: the class that was thrown on the server, as far as status and code tell. */
export function httpError(status: number, code: string, message: string): HttpError {
  if (status === 403 && code === 'PERMISSION_DENIED') return new PermissionError(message);
  const known = { 401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 409: ConflictError, 429: RateLimitError }[status];
  return known === undefined ? new HttpError(status, code, message) : new known(message, code);
}
