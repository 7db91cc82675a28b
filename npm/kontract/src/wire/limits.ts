/** Bounds on messages, checked before anything is allocated. Both ends of the wire use the same ones. */

/** Longest message, in bytes. */
export const MESSAGE_LEN_MAX = 16 * 1024 * 1024;

/** Deepest nesting of tables; the root is one. */
export const DEPTH_MAX = 64;

/** A writer's buffer larger than this is given back to the garbage collector after its message, in bytes. */
export const BUFFER_KEPT_MAX = 1024 * 1024;
