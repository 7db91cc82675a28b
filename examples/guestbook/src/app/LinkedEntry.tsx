import { getEntry } from '@/client';
import { useEffect, useState } from 'react';
import { EntryHeading } from './EntryCard';
import { type Entry, explain } from './useGuestbook';

/** The entry that the page's address names after `#`, above the list, where a reader who followed a link looks. */
export function LinkedEntry({ owner }: { owner: string | undefined }) {
  const id = useFragment();
  const [found, setFound] = useState<{ id: string; entry?: Entry; problem?: string }>();

  useEffect(() => {
    if (id === '' || owner === undefined) {
      return;
    }
    const abort = new AbortController();
    getEntry.with({ signal: abort.signal })(id).then(
      (entry) => setFound({ id, entry }),
      (cause: unknown) => {
        if (!abort.signal.aborted) {
          setFound({ id, problem: explain(cause) });
        }
      },
    );
    return () => abort.abort();
  }, [id, owner]);

  if (id === '' || found?.id !== id) {
    return null;
  }
  return (
    <section className="linked" aria-label="Linked entry">
      {found.entry === undefined ? (
        <p className="message">{found.problem}</p>
      ) : (
        <>
          <EntryHeading entry={found.entry} own={found.entry.authorId === owner} />
          <p className="message">{found.entry.message}</p>
        </>
      )}
      <a href="#" className="hint">
        Close
      </a>
    </section>
  );
}

function useFragment(): string {
  const [fragment, setFragment] = useState(readFragment);
  useEffect(() => {
    const update = () => setFragment(readFragment());
    window.addEventListener('hashchange', update);
    return () => window.removeEventListener('hashchange', update);
  }, []);
  return fragment;
}

function readFragment(): string {
  return window.location.hash.slice(1);
}
