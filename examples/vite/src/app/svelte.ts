import { mount } from 'svelte';
import Notes from './Notes.svelte';

mount(Notes, { target: document.querySelector('#app')! });
