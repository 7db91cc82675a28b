/** Only the server knows what it does not accept. */
const REFUSED = ['buy-followers-now.example'];

export function refused(text: string): boolean {
  return REFUSED.some((word) => text.includes(word));
}
