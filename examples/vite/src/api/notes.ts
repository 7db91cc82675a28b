import { backend, HttpError, perms } from 'kontract';
import { refused } from '../server/rules';
import type { Note } from '../types';

/** What the board is called. */
export const title = backend({ perm: perms.R__ }, async (): Promise<string> => {
  return 'The board';
});

/** Every note, the oldest first. */
export const listNotes = backend({ perm: perms.R__ }, async (): Promise<Note[]> => {
  return env.storage.notes.list();
});

/** Puts a note on the board. */
export const addNote = backend({ perm: perms.RW_ }, async (text: string): Promise<Note> => {
  if (refused(text)) throw new HttpError(422, 'REFUSED', 'this note is not for the board');
  const note = { id: crypto.randomUUID(), text };
  await env.storage.notes.push(note);
  return note;
});
