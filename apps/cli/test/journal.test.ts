import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { startRedis, type StartedRedis } from '@passport/testkit';
import { type Journal, type JournalEntry, openJournal } from '../src/commands/rehearse/journal.ts';

let server: StartedRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, {
    role: 'producer',
    log: createLogger({ name: 'test', level: 'fatal' }),
    name: 'test',
  });
  await untilRedisReady(redis, 5_000);
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});
beforeEach(() => redis.flushall());

const never = (): Promise<void> => Promise.reject(new Error('it had to wait'));
const run = (name: string): JournalEntry => ({ kind: 'run', run: name, at: '', libraries: ['riverside'] });
const patron = (card: string): JournalEntry => ({
  kind: 'patron',
  library: 'riverside',
  card,
  category: 'PPR',
});
const made = (id: number): JournalEntry => ({ kind: 'made', library: 'riverside', id });
const LOST = 'another rehearsal has taken over';

/** A rehearsal that holds the journal, and hangs: its lease is over, and it does not know. */
async function hung(...noted: readonly JournalEntry[]): Promise<Journal> {
  const journal = await openJournal(redis, 'hung', never);
  for (const entry of noted) await journal.note(entry);
  await redis.set('{passport}:rehearsal:lock', 'hung 1');
  return journal;
}

describe('a rehearsal that hung', () => {
  test('goes on where no other has come', async () => {
    const journal = await hung(run('A'));
    await journal.note(patron('1'));
    expect(await journal.read()).toEqual([run('A'), patron('1')]);
    await journal.clear();
    await journal.close();
    expect(await redis.keys('*')).toEqual([]);
  });

  test('makes nothing more once another has come, be that over already, and what it has made is removed by the next', async () => {
    const journal = await hung(run('A'), patron('1'));
    const other = await openJournal(redis, 'other', never);
    expect(await other.read()).toEqual([run('A'), patron('1')]);
    await other.clear();
    await other.close();

    // What it was about to make when it hung has come after the clean-up of the other one.
    await expect(journal.note(made(7))).rejects.toThrow(LOST);
    await journal.close();

    const next = await openJournal(redis, 'next', never);
    expect(await next.read()).toEqual([run('A'), patron('1'), made(7)]);
    await next.close();
  });

  test('says what it has made when it ends, where it had nothing more to note', async () => {
    const journal = await hung(run('A'), patron('1'));
    const other = await openJournal(redis, 'other', never);
    await other.read();
    await other.clear();
    await other.note(run('B'));

    await expect(journal.clear()).rejects.toThrow(LOST);
    await journal.close();

    expect(await other.read()).toEqual([run('B'), run('A'), patron('1')]);
    await other.close();
  });

  test('does not clear what came after its look, nor what is another’s', async () => {
    const journal = await openJournal(redis, 'one', never);
    await journal.note(run('A'));
    await journal.read();
    await redis.rpush('{passport}:rehearsal', JSON.stringify(patron('late')));
    await journal.clear();
    expect(await journal.read()).toEqual([patron('late')]);
    await journal.close();
  });
});
