import { collate } from '../collation.ts';

/**
 * Card numbers of creates that are not committed yet. The database lets a second insert of such a number wait
 * for the first to end, and only then says whether it is a duplicate.
 */
export class CardReservations {
  readonly #open = new Map<string, Promise<void>>();

  /** Waits until the number is free, then holds it until the returned function is called. */
  async take(card: string): Promise<() => void> {
    const key = collate(card);
    for (let before = this.#open.get(key); before !== undefined; before = this.#open.get(key)) await before;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#open.set(key, ended);
    return () => {
      this.#open.delete(key);
      end();
    };
  }
}
