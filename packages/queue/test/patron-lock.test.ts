import { beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type PatronLocks, openPatronLocks } from '@passport/queue/locks';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
let patronLocks: PatronLocks;
beforeAll(async () => {
  patronLocks = openPatronLocks(fixture.redis);
});

const NAME = 'riverside:midland:812';
const owner = (event: string, run = 'a') => ({ event: `riverside.${event}`, run });

describe('T-20 patron locks', () => {
  test('of many at once one has the lock', async () => {
    const other = openPatronLocks(await fixture.connect());
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? patronLocks : other).take(NAME, owner(`evt_${n}`), 10_000),
      ),
    );

    expect(taken.filter((release) => release !== null)).toHaveLength(1);
  });

  test('it is free again once it was released', async () => {
    const release = await patronLocks.take(NAME, owner('first'), 10_000);
    await release?.();

    expect(await patronLocks.take(NAME, owner('second'), 10_000)).not.toBeNull();
  });

  test('another name is another lock', async () => {
    await patronLocks.take(NAME, owner('first'), 10_000);

    expect(await patronLocks.take('riverside:midland:813', owner('second'), 10_000)).not.toBeNull();
  });

  test('the lock of an owner that died is free when its time is over', async () => {
    await patronLocks.take(NAME, owner('died'), 30);

    await waitFor('the lock to be free', () => patronLocks.take(NAME, owner('next'), 10_000));
  });

  test('an owner whose time was over cannot release the lock of the next one', async () => {
    const late = await patronLocks.take(NAME, owner('late'), 10_000);
    await fixture.server.call('DEL', `{passport}:patron-lock:${NAME}`);
    await patronLocks.take(NAME, owner('next'), 10_000);

    await late?.();

    expect(await patronLocks.take(NAME, owner('third'), 10_000)).toBeNull();
  });

  test('a later run of the same event takes it over, and the run before cannot give it back', async () => {
    const dead = await patronLocks.take(NAME, owner('evt_1', 'dead'), 10_000);

    expect(await patronLocks.take(NAME, owner('evt_1', 'twin'), 10_000)).not.toBeNull();
    await dead?.();
    expect(await patronLocks.take(NAME, owner('evt_2'), 10_000)).toBeNull();
  });

  test('an event whose id begins like the owner’s does not take it over', async () => {
    await patronLocks.take(NAME, owner('evt_1'), 10_000);

    expect(await patronLocks.take(NAME, owner('evt_10'), 10_000)).toBeNull();
    expect(await patronLocks.take(NAME, owner('evt_'), 10_000)).toBeNull();
  });
});
