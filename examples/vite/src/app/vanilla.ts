// No framework. Endpoints are imported from where they are defined; the plugin gives stubs.
import { addNote, listNotes, title } from '../api/notes';

const app = document.querySelector('#app')!;
const [heading, list, form] = [document.createElement('h1'), document.createElement('ul'), document.createElement('form')];
form.innerHTML = '<label>Note <input name="text" required></label> <button>Add</button>';
app.replaceChildren(heading, list, form);

async function show(): Promise<void> {
  heading.textContent = await title();
  const notes = await listNotes();
  list.replaceChildren(...notes.map(({ text }) => Object.assign(document.createElement('li'), { textContent: text })));
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  await addNote(String(new FormData(form).get('text')));
  form.reset();
  await show();
});

await show();
