import { createApp } from 'vue';
import Notes from './Notes.vue';

createApp(Notes).mount('#app');
