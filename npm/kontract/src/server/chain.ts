// What chains of middlewares need at run time; everything else of them is inlined by the compiler.

/** What follows a middleware, to be called once. A second call is a mistake that would run the endpoint twice. */
export function once(follows: () => unknown): () => Promise<unknown> {
  let called = false;
  return async () => {
    if (called) throw new Error("a middleware called `next` twice; what follows it runs once for each call");
    called = true;
    return follows();
  };
}
