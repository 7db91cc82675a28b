import type { int32 } from 'kontract';

/** A line in the book. Its table is `env.storage.entries`. */
export interface Entry {
  /** Given by the server. */
  @primkey id: string;
  /** The name that the visitor signed with. */
  author: string;
  /** What the visitor wrote. */
  message: string;
  /** When it was signed; never changes. */
  @perm(perms.R__) createdAt: Date;
  /** How many visitors liked it. */
  likes: int32;
  /** Owner id of the session that signed. */
  authorId: string;
}

/** Somebody who signed. Its table is `env.storage.visitors`; the tags mean the same as the decorators above. */
export interface Visitor {
  /**
   * Owner id of the visitor's session.
   * @primkey
   */
  owner: string;
  /** The name signed with most recently. */
  name: string;
  /** How many entries the visitor wrote. */
  entries: int32;
  /**
   * When the visitor signed for the first time.
   * @perm R__
   */
  firstSeenAt: Date;
  /** Whether the visitor may no longer write. */
  blocked: boolean;
}

/** What may be changed in an entry. */
export interface EntryChange {
  /** Adds one like. */
  like?: boolean;
  /** A new text; only the author may set it. */
  message?: string;
}
