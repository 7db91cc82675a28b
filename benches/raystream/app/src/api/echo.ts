import { backend, perms } from 'kontract';

/**
 * Says what it hears: the least that a call can be.
 *
 * @param text - Anything.
 * @returns The same.
 */
@backend({ perm: perms.R__ })
export async function echo(text: string): Promise<string> {
  return text;
}
