// The server half of kontract, bundled into the Worker with the project's endpoints.

export { once } from "./chain.js";
export { ctx, env } from "./context.js";
export { kontract } from "./pages.js";
export type { Build, PagesModule, Route, RouteEntry, Routes, TableShape } from "./platform.js";
export { createWorker, type WorkerExports } from "./worker.js";
