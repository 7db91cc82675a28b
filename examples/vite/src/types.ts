/** A note on the board. */
export interface Note {
  /** @primkey */
  id: string;
  text: string;
}
