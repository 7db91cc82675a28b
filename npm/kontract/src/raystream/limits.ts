// Limits on what the gateway may send, and on what is sent to it; the same numbers as `runtime/raystream/src/limits.rs`.

/** Largest value of a frame's length field, in bytes. */
export const FRAME_LENGTH_MAX = 1 << 20;
/** Longest plaintext of a frame, padding included, in bytes. */
export const PLAINTEXT_LEN_MAX = FRAME_LENGTH_MAX - 16;
/** Longest payload of a frame, in bytes: one byte is the padding's marker. */
export const PAYLOAD_LEN_MAX = PLAINTEXT_LEN_MAX - 1;
/** Payload of each part but the last of a message in several frames, in bytes. */
export const PART_LEN = 256 * 1024;
/** Longest message in several frames, in bytes. */
export const MESSAGE_LEN_MAX = 16 << 20;
/** What may be sent of a stream before its receiver asks for more, in bytes. */
export const WINDOW_LEN = 256 * 1024;
/** Longest early data, in bytes. */
export const EARLY_LEN_MAX = 16 * 1024;
/** Most frames in one body. */
export const FRAMES_PER_BODY_MAX = 256;
/** Frames under one key; the next frame uses the next key. */
export const FRAMES_PER_KEY = 1 << 20;
