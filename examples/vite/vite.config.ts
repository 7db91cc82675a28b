import { svelte } from '@sveltejs/vite-plugin-svelte';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import { kontract } from 'kontract/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [kontract(), react(), svelte(), vue()],
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    rolldownOptions: { input: ['index.html', 'react.html', 'svelte.html', 'vue.html'] },
  },
});
