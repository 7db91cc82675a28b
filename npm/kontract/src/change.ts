/** Something that others wait for, again and again. */
export class Change {
  #waiting: (() => void)[] = [];

  /** Resolves when it happens next. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  happened(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
