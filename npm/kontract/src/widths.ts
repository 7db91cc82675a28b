// Number widths: plain aliases for TypeScript, a width on the wire for kontract.

/** A whole number from -128 to 127. */
export type int8 = number;
/** A whole number from -32,768 to 32,767. */
export type int16 = number;
/** A whole number of 32 bits with sign. */
export type int32 = number;
/** A whole number of 64 bits with sign. */
export type int64 = bigint;
/** A whole number from 0 to 255. */
export type uint8 = number;
/** A whole number from 0 to 65,535. */
export type uint16 = number;
/** A whole number of 32 bits without sign. */
export type uint32 = number;
/** A whole number of 64 bits without sign. */
export type uint64 = bigint;
/** A number of single precision. */
export type float32 = number;
/** A number of double precision, as every `number` without an alias. */
export type float64 = number;
