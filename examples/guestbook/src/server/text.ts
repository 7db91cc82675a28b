import { HttpError } from 'kontract';

/** What a visitor typed, without surrounding and repeated white space; throws a 422 when it cannot be accepted. */
export function cleanText(text: string, what: 'name' | 'message', lengthMax: number): string {
  const clean = text.trim().replace(/\s+/gu, ' ');
  if (clean === '') {
    throw new HttpError(422, 'TEXT_EMPTY', `please write a ${what}`);
  }
  if (clean.length > lengthMax) {
    throw new HttpError(422, 'TEXT_TOO_LONG', `the ${what} has ${clean.length} characters, ${lengthMax} is the most`);
  }
  const lower = clean.toLowerCase();
  if (SPAM_MARKERS.some((marker) => lower.includes(marker))) {
    throw new HttpError(422, 'TEXT_REFUSED', `this ${what} looks like an advertisement`);
  }
  return clean;
}

/** Spammers must not learn what gives them away, so this list has to stay on the server. */
const SPAM_MARKERS = ['cheap-followers.example', 'casino-bonus.example', 'wire me the deposit'];
