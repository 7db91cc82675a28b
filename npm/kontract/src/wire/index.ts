/** What generated codecs are made of: FlatBuffers, checked in both directions. */

export { WireError } from './error.js';
export { DEPTH_MAX, MESSAGE_LEN_MAX } from './limits.js';
export { Reader } from './reader.js';
export { arity, own, type Shape, shape, Writer, writer } from './writer.js';
