import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import type { DisclosureReceipt, Receipts } from '@passport/queue/copies';
import { createLogger } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { keepReceipts } from '../src/job/keep-receipts.ts';
import { NOON, manualClock } from './builders.ts';

const receipt = (eventId: string): DisclosureReceipt => ({
  at: new Date(NOON).toISOString(),
  home: 'midland',
  lending: 'riverside',
  homeKey: 'midland:7',
  fields: ['surname'],
  eventId,
});

test('a receipt that could not be written is written when the connection is back, however long that takes', async () => {
  const redis = new EventEmitter();
  const clock = manualClock();
  const written: string[] = [];
  let isAway = true;
  const receipts: Receipts = {
    append({ eventId }) {
      if (isAway) return Promise.reject(new Error('Redis is away'));
      written.push(eventId);
      return Promise.resolve('1-0');
    },
    withdraw: () => Promise.resolve(),
  };
  const log = createLogger({ name: 'test', level: 'fatal' });
  const kept = keepReceipts(receipts, {
    redis,
    monotonicNow: clock.now,
    log,
  });
  redis.emit('close');
  await expect(kept.append(receipt('evt_1'), NOON, 1_000)).rejects.toThrow('away');
  clock.forward(600_000);
  await expect(kept.append(receipt('evt_2'), NOON, 1_000)).rejects.toThrow('away');

  isAway = false;
  redis.emit('ready');

  await waitFor('both to be written', () => written.length === 2);
  expect(written).toEqual(['evt_1', 'evt_2']);
});

test('what was written in the half minute before the loss is written again, and no more than that', async () => {
  const redis = new EventEmitter();
  const clock = manualClock();
  const written: string[] = [];
  const kept = keepReceipts(
    {
      append: ({ eventId }) => Promise.resolve(`${written.push(eventId)}-0`),
      withdraw: () => Promise.resolve(),
    },
    {
      redis,
      monotonicNow: clock.now,
      log: createLogger({ name: 'test', level: 'fatal' }),
    },
  );
  for (const id of ['evt_1', 'evt_2', 'evt_3']) {
    await kept.append(receipt(id), NOON, 1_000);
    clock.forward(20_000);
  }
  redis.emit('close');
  redis.emit('ready');

  await waitFor('the last one to be written again', () => written.length === 4);
  expect(written[3]).toBe('evt_3');
});
