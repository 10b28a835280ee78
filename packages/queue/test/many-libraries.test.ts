import { expect, test } from '@jest/globals';
import { librariesWithUnremembered, noteUnremembered, trimCopyRecords } from '@passport/queue/copies';
import { buildKeptSweep, readKept } from '@passport/queue/retention';
import { readQueue } from '@passport/queue/scans';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const LIBRARIES = Array.from({ length: 2_000 }, (_, place) => `library-${place}`);
const MOST_KEYS = 1_000;
const MOST_COMMANDS = 25;

/** The commands that clients have sent meanwhile, without what scripts call; of a script with how many keys. */
async function sentBy(work: () => Promise<unknown>): Promise<readonly { name: string; keys: number }[]> {
  const { redis, connect } = fixture;
  const connection = await connect();
  if (!('monitor' in connection)) throw new Error('not one Redis');
  const monitor = await connection.monitor();
  const sent: string[][] = [];
  const isOver = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (args[0]?.toLowerCase() === 'echo') resolve();
      else if (source !== 'lua') sent.push(args);
    });
  });
  await work();
  await redis.echo('over');
  await isOver;
  monitor.disconnect();
  return sent.map(([name = '', , keys]) => ({ name, keys: /^eval/i.test(name) ? Number(keys) : 0 }));
}

const passes: readonly [name: string, pass: () => Promise<unknown>][] = [
  ['what waits for Kohas to store it', () => librariesWithUnremembered(fixture.redis, LIBRARIES)],
  ['records of copies past their time', () => trimCopyRecords(fixture.redis, LIBRARIES, 1)],
  ['memory of each library', () => readKept(fixture.redis, LIBRARIES)],
  ['the backlogs', () => readQueue(fixture.redis, fixture.queue, LIBRARIES, 1)],
  [
    'ended events beyond the limits',
    () =>
      buildKeptSweep(fixture.redis, fixture.queue, () => undefined)(
        LIBRARIES.map((id) => ({ id, limits: { keptFinished: 100, keptFailed: 100 } })),
        { finished: 1, failed: 1 },
        2,
      ),
  ],
];

test.each(passes)(
  'a look at %s of 2,000 libraries takes few round trips, and none keeps Redis from others for long',
  async (_name, pass) => {
    await pass();
    const sent = await sentBy(pass);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThanOrEqual(MOST_COMMANDS);
    expect(Math.max(...sent.map(({ keys }) => keys))).toBeLessThanOrEqual(MOST_KEYS);
  },
);

test('of many libraries those are found that have something to be stored', async () => {
  const { redis } = fixture;
  for (const library of ['library-1999', 'library-3', 'library-200'])
    await noteUnremembered(redis, library, { id: '7.evt_1', text: '{}' });
  expect(await librariesWithUnremembered(redis, LIBRARIES)).toEqual([
    'library-3',
    'library-200',
    'library-1999',
  ]);
  expect(await librariesWithUnremembered(redis, [])).toEqual([]);
});
