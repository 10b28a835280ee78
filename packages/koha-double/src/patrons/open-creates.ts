import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../seed/random.ts';
import { collate } from '../collation.ts';

/** A create that has cleared the (no) attributes of its new patron and has yet to add them, or to commit. */
interface AttributeGap {
  /** Adds the attributes: waits for other creates to end, or is chosen as the victim of a deadlock: false. */
  insert(): Promise<boolean>;
  /** Commits or rolls back. */
  release(): void;
}

/** Milliseconds of a create before, between and after its statements on attributes, each give or take a half. */
const createPhases = { store: 8, check: 4, commit: 2 } as const;

interface Holder {
  isWaiting: boolean;
  resume: () => void;
}

/**
 * The gap at the end of the attribute table's index. Koha's setter deletes before it inserts
 * (`Koha/Patron.pm`, `extended_attributes`), and deleting the attributes of a patron who has none locks the gap
 * where they would be. Gap locks do not exclude each other, but an insert waits for everybody else's: two creates
 * that both hold one wait for each other, and the database rolls one of them back.
 */
export class AttributeGaps {
  readonly #holders = new Set<Holder>();
  readonly #random = new Random('attribute gaps');

  /** Takes about as long as that part of a create does on a server. */
  async pause(phase: keyof typeof createPhases): Promise<void> {
    await sleep(createPhases[phase] * (0.5 + this.#random.next()));
  }

  open(): AttributeGap {
    const holder: Holder = { isWaiting: false, resume: () => undefined };
    this.#holders.add(holder);
    return {
      insert: () => this.#insert(holder),
      release: () => {
        this.#holders.delete(holder);
        for (const other of this.#holders) other.resume();
      },
    };
  }

  async #insert(holder: Holder): Promise<boolean> {
    const others = (): Holder[] => [...this.#holders].filter((other) => other !== holder);
    while (others().length > 0) {
      if (others().some((other) => other.isWaiting)) return false;
      holder.isWaiting = true;
      await new Promise<void>((resolve) => {
        holder.resume = resolve;
      });
      holder.isWaiting = false;
    }
    return true;
  }
}

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
