// Permission bits: read 4, write 2, delete 1. Every spelling of a set is here, in any order of its letters.

/** A set of permission bits, 0 to 7: read 4, write 2, delete 1. */
export type Perm = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Every spelling of every set: `R`, `W` and `X` at most once each, `_` for an absent bit. Combine them with `|` and `&`. */
export const perms = {
  ___: 0,
  R__: 4, _R_: 4, __R: 4,
  W__: 2, _W_: 2, __W: 2,
  X__: 1, _X_: 1, __X: 1,
  RW_: 6, R_W: 6, _RW: 6, WR_: 6, W_R: 6, _WR: 6,
  RX_: 5, R_X: 5, _RX: 5, XR_: 5, X_R: 5, _XR: 5,
  WX_: 3, W_X: 3, _WX: 3, XW_: 3, X_W: 3, _XW: 3,
  RWX: 7, RXW: 7, WRX: 7, WXR: 7, XRW: 7, XWR: 7,
} as const;
