import { type SubmitEvent, useId, useRef, useState } from 'react';

/** The form. It keeps the name for the next entry, and the message until the server has taken it. */
export function SignForm({
  onSign,
  ready,
}: {
  onSign: (author: string, message: string) => Promise<boolean>;
  ready: boolean;
}) {
  const [author, setAuthor] = useState('');
  const [message, setMessage] = useState('');
  const messageField = useRef<HTMLTextAreaElement>(null);
  const id = useId();

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    // Emptied at once, because the entry is already shown; given back when it was refused.
    setMessage('');
    messageField.current?.focus();
    if (!(await onSign(author, message))) {
      setMessage((typedSince) => (typedSince === '' ? message : typedSince));
    }
  }

  return (
    <form className="sign" onSubmit={submit} aria-label="Sign the guestbook">
      <div className="field">
        <label htmlFor={`${id}-author`}>Your name</label>
        <input
          id={`${id}-author`}
          name="author"
          autoComplete="nickname"
          maxLength={60}
          required
          value={author}
          onChange={(event) => setAuthor(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-message`}>Your message</label>
        <textarea
          id={`${id}-message`}
          ref={messageField}
          name="message"
          rows={3}
          maxLength={MESSAGE_LENGTH_MAX}
          required
          aria-describedby={`${id}-left`}
          value={message}
          onChange={(event) => setMessage(event.target.value)}
        />
      </div>
      <div className="actions">
        <span id={`${id}-left`} className="hint">
          {MESSAGE_LENGTH_MAX - message.length} characters left
        </span>
        <button type="submit" className="primary" disabled={!ready}>
          Sign
        </button>
      </div>
    </form>
  );
}

const MESSAGE_LENGTH_MAX = 500;
