// 'kontract/client': what generated clients import.
export { createClient } from './client.js';
export { cookieStorage } from './cookie.js';
export { NetworkError } from './network-error.js';
export { streamed } from './stream.js';
export { uploading } from './upload.js';
export { RefusedError } from '../raystream/refused.js';
export type {
  CallOptions,
  Configuration,
  EndpointSpec,
  Identity,
  Kontract,
  Pins,
  Rpc,
  StreamRpc,
  StreamSpec,
  TokenStorage,
  WebSocketLike,
} from './types.js';
