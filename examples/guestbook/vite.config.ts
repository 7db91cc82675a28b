import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { '@/client': fileURLToPath(new URL('.kontract/client/index.js', import.meta.url)) },
  },
  build: { outDir: 'dist/app', emptyOutDir: true },
});
