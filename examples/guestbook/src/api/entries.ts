import { backend, ForbiddenError, NotFoundError, perms } from 'kontract';
import { cleanText } from '../server/text';
import type { Entry, EntryChange } from '../types';

/** Entries that one call of {@link listEntries} returns at most. */
const PAGE_SIZE = 50;

/**
 * Signs the guestbook.
 *
 * @param author - The name to sign with, at most 60 characters.
 * @param message - What to write, at most 500 characters.
 * @returns The entry as it was stored.
 */
@backend({ perm: perms.RW_, egroup: 'guestbook' })
export async function createEntry(author: string, message: string): Promise<Entry> {
  const entry: Entry = {
    id: crypto.randomUUID(),
    author: cleanText(author, 'name', 60),
    message: cleanText(message, 'message', 500),
    createdAt: new Date(),
    likes: 0,
    authorId: ctx.owner,
  };
  const visitor = await env.storage.visitors.get(ctx.owner);
  await env.storage.entries.push(entry);
  await env.storage.visitors.set({
    owner: ctx.owner,
    name: entry.author,
    entries: (visitor?.entries ?? 0) + 1,
    firstSeenAt: visitor?.firstSeenAt ?? entry.createdAt,
    blocked: visitor?.blocked ?? false,
  });
  return entry;
}

/**
 * Finds one entry.
 *
 * @param id - The entry's id.
 */
@backend(perm=perms.R__, egroup="reading")
export async function getEntry(id: string): Promise<Entry> {
  const entry = await env.storage.entries.get(id);
  if (entry === undefined) {
    throw new NotFoundError('this entry is not in the book');
  }
  return entry;
}

/**
 * Lists entries in the order in which they were signed, 50 at a time.
 *
 * @param after - Id of the last entry that the caller has; none for the first page.
 */
@backend({ perm: perms.R__, egroup: 'reading' })
export async function listEntries(after?: string): Promise<Entry[]> {
  return env.storage.entries.list(after === undefined ? { limit: PAGE_SIZE } : { after, limit: PAGE_SIZE });
}

/**
 * Likes an entry, or changes its text. Likes are counted exactly: of two calls at once, one is repeated on what the
 * other left.
 *
 * @param id - The entry's id.
 * @param change - What to change.
 * @returns The entry after the change.
 */
export const updateEntry = backend(
  { perm: perms.RW_, egroup: 'guestbook' },
  async (id: string, change: EntryChange): Promise<Entry> => {
    const entry = await env.storage.entries.get(id);
    if (entry === undefined) {
      throw new NotFoundError('this entry is not in the book');
    }
    if (change.message !== undefined && entry.authorId !== ctx.owner) {
      throw new ForbiddenError('only its author can change an entry');
    }
    return env.storage.entries.update(id, {
      likes: entry.likes + (change.like === true ? 1 : 0),
      message: change.message === undefined ? entry.message : cleanText(change.message, 'message', 500),
    });
  },
);
