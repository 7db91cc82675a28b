import { EntryCard, DraftCard } from './EntryCard';
import { LinkedEntry } from './LinkedEntry';
import { SignForm } from './SignForm';
import { type Connection, useGuestbook } from './useGuestbook';

/** The page. */
export function App() {
  const book = useGuestbook();
  const newestFirst = book.entries.toReversed();
  const empty = newestFirst.length === 0 && book.drafts.length === 0;
  return (
    <>
      <header className="masthead">
        <h1>Guestbook</h1>
        <p className="lead">Leave a line for whoever comes next.</p>
        <ConnectionStatus connection={book.connection} owner={book.owner} />
      </header>
      <main>
        <SignForm onSign={book.sign} ready={book.owner !== undefined} />
        {book.error !== undefined && (
          <div className="error" role="alert">
            <span>{book.error}</span>
            <button type="button" className="quiet" onClick={book.dismissError}>
              Dismiss
            </button>
          </div>
        )}
        <LinkedEntry owner={book.owner} />
        <section aria-labelledby="entries-title">
          <h2 id="entries-title">
            Entries <span className="count">{book.entries.length}</span>
          </h2>
          {empty && book.connection === 'encrypted' && <p className="empty">The first page is yours.</p>}
          <ol className="entries" aria-live="polite" aria-relevant="additions">
            {book.drafts.toReversed().map((draft) => (
              <DraftCard key={draft.id} draft={draft} />
            ))}
            {newestFirst.map((entry) => (
              <EntryCard
                key={entry.id}
                entry={entry}
                own={entry.authorId === book.owner}
                onLike={book.like}
                onRemove={book.remove}
              />
            ))}
          </ol>
        </section>
      </main>
    </>
  );
}

function ConnectionStatus({ connection, owner }: { connection: Connection; owner: string | undefined }) {
  return (
    <p className={`status ${connection}`} role="status">
      <span className="dot" aria-hidden="true" />
      {STATUS[connection]}
      {owner !== undefined && (
        <span className="owner">
          you are <code title={owner}>{owner.slice(0, 13)}</code>
        </span>
      )}
    </p>
  );
}

const STATUS: Record<Connection, string> = {
  connecting: 'Connecting',
  encrypted: 'Encrypted',
  offline: 'Offline, trying again',
};
