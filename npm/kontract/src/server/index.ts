// The server half of kontract, bundled into the Worker with the project's endpoints.

export { once } from "./chain.js";
export { ctx, env } from "./context.js";
export type { Build, Route, RouteEntry, Routes, TableShape } from "./platform.js";
export { createWorker, type WorkerExports } from "./worker.js";
