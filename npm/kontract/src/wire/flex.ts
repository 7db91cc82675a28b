/**
 * How JavaScript's values lie in FlexBuffers. What JSON knows is what every other implementation makes of it; the rest uses
 * forms that such values never have, so that nothing has to be escaped:
 *
 * | value | FlexBuffers |
 * |---|---|
 * | safe integer but -0 · other number | INT · FLOAT |
 * | bigint | INDIRECT_INT, above 2⁶³ INDIRECT_UINT |
 * | Date | INDIRECT_FLOAT, milliseconds since 1970 |
 * | undefined | KEY, empty |
 * | Map · Set | VECTOR that begins with the KEY `Map` · `Set`; then key, value, key, value … · the elements |
 * | Uint8Array | BLOB |
 */

/** Types of FlexBuffers, as its specification numbers them. */
export const NULL = 0;
export const INT = 1;
export const UINT = 2;
export const FLOAT = 3;
export const KEY = 4;
export const STRING = 5;
export const INDIRECT_INT = 6;
export const INDIRECT_UINT = 7;
export const INDIRECT_FLOAT = 8;
export const MAP = 9;
export const VECTOR = 10;
/** The first of the vectors without types for each element: of INT, UINT, FLOAT, KEY and STRING. */
export const VECTOR_INT = 11;
/** The vector of KEY. */
export const VECTOR_KEY = 14;
/** The first of nine vectors of fixed length: of two, three and four INT, UINT, FLOAT. */
export const VECTOR_INT2 = 16;
export const VECTOR_FLOAT4 = 24;
export const BLOB = 25;
export const BOOL = 26;
export const VECTOR_BOOL = 36;

/** Marks of vectors that are something else in JavaScript. */
export const MAP_MARK = 'Map';
export const SET_MARK = 'Set';
