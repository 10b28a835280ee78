import { waitFor } from './wait-for.ts';

type Hook = (run: () => Promise<void> | void, timeoutMs?: number) => void;

/** A thing that a test has opened. */
export type Closable = { stop(): unknown } | { close(): unknown };

const KINDS = ['TCPServerWrap', 'ProcessWrap', 'PipeWrap', 'TCPSocketWrap'];
const SETTLE_MS = 2_000;

/**
 * Cleans up after each test of a file: `own(thing)` closes a thing after its test, in reverse order, and a test that still
 * leaves servers, sockets or children behind fails. Things opened in `beforeAll` are not the test's. Call it before
 * other hooks: `const own = leakGuard({ beforeEach, afterEach })`.
 */
export function leakGuard(hooks: { beforeEach: Hook; afterEach: Hook }): <T extends Closable>(thing: T) => T {
  const owned: Closable[] = [];
  let before = countOpen();
  hooks.beforeEach(() => {
    before = countOpen();
  });
  hooks.afterEach(async () => {
    for (let thing = owned.pop(); thing !== undefined; thing = owned.pop()) {
      await ('stop' in thing ? thing.stop() : thing.close());
    }
    let leaked = '';
    await waitFor('everything the test opened to be closed', () => (leaked = excess(before)) === '', {
      timeoutMs: SETTLE_MS,
    }).catch(() => {
      throw new Error(`The test left open: ${leaked}`);
    });
  }, 30_000);
  return (thing) => {
    owned.push(thing);
    return thing;
  };
}

function countOpen(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function excess(before: ReadonlyMap<string, number>): string {
  const now = countOpen();
  return KINDS.map((kind) => ({ kind, more: (now.get(kind) ?? 0) - (before.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => `${more} ${kind}`)
    .join(', ');
}
