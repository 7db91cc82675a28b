// What the plain Worker and its caller both know. Fixed, as a benchmark may have it.
export const PINS = { suite: 2, buildId: new Uint8Array(16).fill(1), routeHash: new Uint8Array(32).fill(2) };
export const KEY = new Uint8Array(32).fill(3);
export const SECRET = new Uint8Array(32).fill(4);
