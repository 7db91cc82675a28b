import { useState } from 'react';
import type { Draft, Entry } from './useGuestbook';

/** One entry with its actions. */
export function EntryCard({
  entry,
  own,
  onLike,
  onRemove,
}: {
  entry: Entry;
  own: boolean;
  onLike: (entry: Entry) => Promise<boolean>;
  onRemove: (entry: Entry) => Promise<boolean>;
}) {
  const [liked, setLiked] = useState(false);

  async function like() {
    setLiked(true);
    setLiked(await onLike(entry));
  }

  return (
    <li className="entry" id={entry.id}>
      <Avatar name={entry.author} seed={entry.authorId} />
      <article aria-label={`Entry by ${entry.author}`}>
        <EntryHeading entry={entry} own={own} />
        <p className="message">{entry.message}</p>
        <footer>
          <button
            type="button"
            className="like"
            aria-pressed={liked}
            aria-label={`Like the entry by ${entry.author}, ${entry.likes} so far`}
            disabled={liked}
            onClick={like}
          >
            <span aria-hidden="true">{liked ? '♥' : '♡'}</span> {entry.likes}
          </button>
          <button
            type="button"
            className="quiet"
            aria-label={`Remove the entry by ${entry.author}`}
            title="Moderators only: the server refuses everybody else"
            onClick={() => onRemove(entry)}
          >
            Remove
          </button>
        </footer>
      </article>
    </li>
  );
}

/** An entry on its way to the server. */
export function DraftCard({ draft }: { draft: Draft }) {
  return (
    <li className="entry draft" aria-busy="true">
      <Avatar name={draft.author} seed={draft.id} />
      <article aria-label={`Entry by ${draft.author}, being sent`}>
        <div className="byline">
          <strong>{draft.author}</strong>
          <span className="hint">signing…</span>
        </div>
        <p className="message">{draft.message}</p>
      </article>
    </li>
  );
}

/** Who signed and when. */
export function EntryHeading({ entry, own }: { entry: Entry; own: boolean }) {
  return (
    <div className="byline">
      <strong>{entry.author}</strong>
      {own && <span className="badge">you</span>}
      <a href={`#${entry.id}`} className="hint">
        <time dateTime={entry.createdAt.toISOString()}>{DATE_FORMAT.format(entry.createdAt)}</time>
      </a>
    </div>
  );
}

function Avatar({ name, seed }: { name: string; seed: string }) {
  const hue = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  return (
    <span className="avatar" style={{ '--hue': hue } as React.CSSProperties} aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase()}
    </span>
  );
}

const DATE_FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
