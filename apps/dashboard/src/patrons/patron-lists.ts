import { type CopyElsewhere, readPatronsElsewhere } from '@passport/queue/elsewhere';
import type { PageDeps } from '../shell/page-deps.ts';

/** The pages of a list, its filters and its file are of one reading. */
const KEPT_MS = 15_000;

interface List {
  readonly copies: Promise<readonly CopyElsewhere[]>;
  /** Null while it is read. */
  untilMs: number | null;
}

/**
 * Reads where the patrons of a home library have copies. That takes the records of all libraries, so it is done once in 15 s however many
 * look, and for one library at a time.
 */
export function buildPatronLists({
  redis,
  libraries,
  now,
}: Pick<PageDeps, 'redis' | 'libraries' | 'now'>): (home: string) => Promise<readonly CopyElsewhere[]> {
  const lenders = libraries.map(({ id }) => id);
  const lists = new Map<string, List>();
  let last: Promise<unknown> = Promise.resolve();
  return (home) => {
    for (const [of, { untilMs }] of lists) if (untilMs !== null && untilMs <= now()) lists.delete(of);
    const kept = lists.get(home);
    if (kept !== undefined) return kept.copies;
    const copies = last.then(() => readPatronsElsewhere(redis, home, lenders));
    const list: List = { copies, untilMs: null };
    lists.set(home, list);
    last = copies.then(
      () => void (list.untilMs = now() + KEPT_MS),
      () => lists.delete(home),
    );
    return copies;
  };
}
