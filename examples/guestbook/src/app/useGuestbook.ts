import { createEntry, deleteEntry, kontract, listEntries, updateEntry } from '@/client';
import { HttpError } from 'kontract';
import { useCallback, useEffect, useRef, useState } from 'react';

/** An entry as the server sends it. */
export type Entry = Awaited<ReturnType<typeof createEntry>>;

/** Whether the last look at the server succeeded. */
export type Connection = 'connecting' | 'encrypted' | 'offline';

/** An entry that the server has not confirmed yet. */
export interface Draft {
  id: string;
  author: string;
  message: string;
}

/** The book as this page knows it, and what a visitor can do with it. Actions report failures through `error`. */
export interface Guestbook {
  connection: Connection;
  owner: string | undefined;
  entries: readonly Entry[];
  drafts: readonly Draft[];
  error: string | undefined;
  dismissError(): void;
  /** Whether the server took it. */
  sign(author: string, message: string): Promise<boolean>;
  like(entry: Entry): Promise<boolean>;
  remove(entry: Entry): Promise<boolean>;
}

/** Keeps the book current: reads it again every two seconds, and at once after each change of its own. */
export function useGuestbook(): Guestbook {
  const [connection, setConnection] = useState<Connection>('connecting');
  const [owner, setOwner] = useState<string>();
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [drafts, setDrafts] = useState<readonly Draft[]>([]);
  const [error, setError] = useState<string>();
  // Counts own changes. A list that was asked for before one of them is out of date when it arrives, so it is dropped.
  const [changes, setChanges] = useState(0);
  const draftCount = useRef(0);

  useEffect(() => {
    kontract.auth.anonymous().then((session) => setOwner(session.owner), () => setConnection('offline'));
  }, []);

  useEffect(() => {
    if (owner === undefined) {
      return;
    }
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const poll = async () => {
      try {
        const current = await readAll(abort.signal);
        if (!abort.signal.aborted) {
          setEntries(current);
          setConnection('encrypted');
        }
      } catch {
        if (!abort.signal.aborted) {
          setConnection('offline');
        }
      }
      if (!abort.signal.aborted) {
        timer = setTimeout(poll, POLL_INTERVAL_MS);
      }
    };
    void poll();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [owner, changes]);

  /** Runs a call, applies what it returns, and has the book read again whether it worked or not. */
  const change = useCallback(async <T>(call: () => Promise<T>, apply: (result: T) => void): Promise<boolean> => {
    setError(undefined);
    try {
      apply(await call());
      return true;
    } catch (cause) {
      setError(explain(cause));
      return false;
    } finally {
      setChanges((count) => count + 1);
    }
  }, []);

  const sign = useCallback(
    async (author: string, message: string) => {
      draftCount.current += 1;
      const draft = { id: `draft-${draftCount.current}`, author, message };
      setDrafts((all) => [...all, draft]);
      const signed = await change(
        () => createEntry(author, message),
        (entry) => setEntries((all) => [...all, entry]),
      );
      setDrafts((all) => all.filter((other) => other.id !== draft.id));
      return signed;
    },
    [change],
  );

  const like = useCallback(
    (entry: Entry) => {
      const replace = (fresh: Entry) =>
        setEntries((all) => all.map((other) => (other.id === fresh.id ? fresh : other)));
      replace({ ...entry, likes: entry.likes + 1 });
      return change(() => updateEntry(entry.id, { like: true }), replace);
    },
    [change],
  );

  const remove = useCallback(
    (entry: Entry) =>
      change(
        () => deleteEntry(entry.id),
        () => setEntries((all) => all.filter((other) => other.id !== entry.id)),
      ),
    [change],
  );

  const dismissError = useCallback(() => setError(undefined), []);
  return { connection, owner, entries, drafts, error, dismissError, sign, like, remove };
}

/** What went wrong, in words for a visitor. */
export function explain(cause: unknown): string {
  if (!(cause instanceof HttpError)) {
    return 'The guestbook cannot be reached at the moment.';
  }
  const message = cause.message;
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** Every page of the list. */
async function readAll(signal: AbortSignal): Promise<Entry[]> {
  const readPage = listEntries.with({ signal });
  const all: Entry[] = [];
  for (;;) {
    const page = await readPage(all.at(-1)?.id);
    all.push(...page);
    if (page.length < PAGE_SIZE) {
      return all;
    }
  }
}

const POLL_INTERVAL_MS = 2_000;
/** Entries in a full page, as `src/api/entries.ts` has it. */
const PAGE_SIZE = 50;
