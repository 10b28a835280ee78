import { expect, test } from '@jest/globals';
import { joinFingerprint } from '@passport/contract';
import { type Invitations, listInvitations, openInvitations } from '@passport/queue/joining';
import { createEncryption, DecryptionError } from '@passport/runtime';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
const encryption = createEncryption([Buffer.from('a PASSPORT_KEY of thirty-two oct')]);
const HOUR_MS = 3_600_000;

const idOf = (library: string): string => `inv_${library.padEnd(22, '0')}`;
async function invited(library: string, lifeMs = HOUR_MS): Promise<Invitations> {
  const invitations = openInvitations(fixture.redis, encryption);
  const madeMs = await fixture.redisNow();
  const made = { library, name: `Library of ${library}`, madeMs, endsMs: madeMs + lifeMs };
  const secrets = { token: 'planted-token', privateKey: 'planted-key' };
  expect(await invitations.add({ invitation: idOf(library), ...made, ...secrets })).toBe('added');
  return invitations;
}
const only = async () => {
  const [listed] = await listInvitations(fixture.redis);
  if (listed === undefined) throw new Error('no invitation');
  return listed;
};
const dump = async (): Promise<string> => {
  const keys = await fixture.redis.keys('*');
  return JSON.stringify(await Promise.all(keys.map((key) => fixture.redis.hgetall(key))));
};

test('an invitation is listed without its secrets, and Redis has none of them in clear', async () => {
  const invitations = await invited('midland');
  await invitations.keep(idOf('midland'), '{"planted":"body"}');
  expect(await invitations.list()).toEqual([
    {
      invitation: idOf('midland'),
      library: 'midland',
      name: 'Library of midland',
      madeMs: expect.any(Number),
      endsMs: expect.any(Number),
      request: { fingerprint: joinFingerprint('{"planted":"body"}'), receivedMs: expect.any(Number) },
    },
  ]);
  expect(await invitations.readToken(idOf('midland'))).toEqual({
    library: 'midland',
    token: 'planted-token',
  });
  expect(await invitations.open(await only())).toMatchObject({
    body: '{"planted":"body"}',
    privateKey: 'planted-key',
  });
  expect(await dump()).not.toMatch(/planted/);
});

test('a library has one open invitation', async () => {
  const invitations = await invited('midland');
  const nowMs = await fixture.redisNow();
  const second = { invitation: 'inv_second', library: 'midland', name: 'M', token: 't', privateKey: 'k' };
  const times = { madeMs: nowMs, endsMs: nowMs + HOUR_MS };
  expect(await invitations.add({ ...second, ...times })).toBe('exists');
  expect(await invitations.end(await only())).toBe(true);
  expect(await invitations.add({ ...second, ...times })).toBe('added');
});

test('an invitation that has ended takes nothing, is not listed, and makes room', async () => {
  const invitations = await invited('midland', -1);
  expect(await invitations.keep(idOf('midland'), 'body')).toBe('ended');
  expect(await invitations.readToken(idOf('midland'))).toBeNull();
  expect(await invitations.list()).toEqual([]);
  await invited('midland');
});

test('there are at most 100 invitations', async () => {
  const invitations = openInvitations(fixture.redis, encryption);
  const nowMs = await fixture.redisNow();
  const add = (library: string) =>
    invitations.add({
      invitation: idOf(library),
      library,
      name: library,
      token: 't',
      privateKey: 'k',
      madeMs: nowMs,
      endsMs: nowMs + HOUR_MS,
    });
  const added = await Promise.all(Array.from({ length: 101 }, (_, at) => add(`library${at}`)));
  expect(added.filter((each) => each !== 'added')).toEqual(['full']);
});

test('of two requests at once one is kept, and the other cannot take its place', async () => {
  const invitations = await invited('midland');
  const bodies = ['one', 'two'];
  const kept = await Promise.all(bodies.map((body) => invitations.keep(idOf('midland'), body)));
  expect(kept.toSorted()).toEqual(['kept', 'other']);
  const winner = bodies[kept.indexOf('kept')] ?? '';
  expect(await invitations.keep(idOf('midland'), winner)).toBe('same');
  expect((await only()).request).toEqual({
    fingerprint: joinFingerprint(winner),
    receivedMs: expect.any(Number),
  });
});

test('what an operator has discarded does not come back, and another request may', async () => {
  const invitations = await invited('midland');
  await invitations.keep(idOf('midland'), 'one');
  expect(await invitations.discard(await only())).toBe('discarded');
  expect(await invitations.discard(await only())).toBe('none');
  expect(await invitations.keep(idOf('midland'), 'one')).toBe('discarded');
  expect(await invitations.keep(idOf('midland'), 'two')).toBe('kept');
  for (let more = 0; more < 9; more += 1) {
    await invitations.discard(await only());
    await invitations.keep(idOf('midland'), `more ${more}`);
  }
  expect(await invitations.discard(await only())).toBe('too_often');
});

test('an invitation ends once, and takes request, token and key with it', async () => {
  const invitations = await invited('midland');
  await invitations.keep(idOf('midland'), 'body');
  const listed = await only();
  const ends = await Promise.all([invitations.end(listed), invitations.end(listed)]);
  expect(ends.filter(Boolean)).toHaveLength(1);
  expect(await invitations.open(listed)).toBeNull();
  expect(await fixture.redis.keys('*')).toEqual([]);
});

test('the end of an older invitation is not that of its successor', async () => {
  const invitations = await invited('midland');
  const older = { ...(await only()), invitation: 'inv_older' };
  expect(await invitations.end(older)).toBe(false);
  expect(await invitations.list()).toHaveLength(1);
});

test('a process with another PASSPORT_KEY opens nothing', async () => {
  const invitations = await invited('midland');
  await invitations.keep(idOf('midland'), 'body');
  const others = openInvitations(
    fixture.redis,
    createEncryption([Buffer.from('another PASSPORT_KEY of 32 octet')]),
  );
  expect(await others.readToken(idOf('midland'))).toBeNull();
  await expect(others.open(await only())).rejects.toThrow(DecryptionError);
});
