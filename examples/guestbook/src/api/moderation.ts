import { NotFoundError, perms } from 'kontract';

/**
 * Removes an entry. Only members of the group `admin` may.
 *
 * @param id - The entry's id.
 */
@backend(ugroup="admin", perm=perms.RWX, egroup="moderation")
export async function deleteEntry(id: string): Promise<void> {
  const entry = await env.storage.entries.get(id);
  if (entry === undefined) {
    throw new NotFoundError('this entry is not in the book');
  }
  await env.storage.entries.delete(id);
}
