/** What generated codecs are made of: FlatBuffers, checked in both directions. */

export {
  elementsOf,
  entriesOf,
  getElement,
  getEntry,
  getPair,
  numberEntriesOf,
  numeric,
  pairsOf,
  plain,
  trimmed,
  tuple,
} from './collections.js';
export { WireError } from './error.js';
export { getDynamic, putDynamic } from './dynamic.js';
export { LazyReader, type View, type ViewClass, view } from './lazy.js';
export { DEPTH_MAX, MESSAGE_LEN_MAX } from './limits.js';
export { Reader } from './reader.js';
export { getText, type Pattern, pattern, putText } from './template.js';
export {
  getAbsence,
  getBlob,
  getBool,
  getDate,
  getEnum16,
  getEnum8,
  getF32,
  getF64,
  getI16,
  getI32,
  getI64,
  getI8,
  getU16,
  getU32,
  getU64,
  getU8,
  putBlob,
  putBool,
  putDate,
  putEnum16,
  putEnum8,
  putF32,
  putF64,
  putI16,
  putI32,
  putI64,
  putI8,
  putObject,
  putU16,
  putU32,
  putU64,
  putU8,
  putVector,
} from './values.js';
export { getTag, needTag, only, putTag, whole } from './union.js';
export { own, type Shape, shape, Writer, writer } from './writer.js';
