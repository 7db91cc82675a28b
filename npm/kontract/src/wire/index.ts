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
export { getTag, needTag, only, putTag, whole } from './union.js';
export { arity, own, type Shape, shape, Writer, writer } from './writer.js';
