import { useEffect, useState } from 'react';
import { addNote, listNotes, title } from '@/client';
import type { Note } from '../types';

export function Notes() {
  const [heading, setHeading] = useState('');
  const [notes, setNotes] = useState<Note[]>([]);

  async function show() {
    setHeading(await title());
    setNotes(await listNotes());
  }

  useEffect(() => void show(), []);

  async function add(form: FormData) {
    await addNote(String(form.get('text')));
    await show();
  }

  return (
    <>
      <h1>{heading}</h1>
      <ul>
        {notes.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
      <form action={add}>
        <label>
          Note <input name="text" required />
        </label>{' '}
        <button>Add</button>
      </form>
    </>
  );
}
