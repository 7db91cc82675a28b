// What applications import from 'kontract', on the server and in the client: no part of it does anything when imported.
export { backend, defineMiddleware, mwfilter } from './define.js';
export type { BackendDecorator, BackendOptions, Context, Middleware, MiddlewareFilter, PageContext } from './define.js';
export {
  ConflictError,
  ForbiddenError,
  HttpError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  UnauthorizedError,
  takenField,
} from './errors.js';
export { perms } from './perms.js';
export type { Perm } from './perms.js';
export type { float32, float64, int16, int32, int64, int8, uint16, uint32, uint64, uint8 } from './widths.js';
