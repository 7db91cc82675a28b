// The generated app with Vite alone: pages that hold their endpoints.
import { resolve } from 'node:path';

export default {
  build: { outDir: 'out/vite', emptyOutDir: true, reportCompressedSize: false, chunkSizeWarningLimit: 1e9 },
  resolve: { alias: { '@/client': resolve('plain/client.ts') } },
};
