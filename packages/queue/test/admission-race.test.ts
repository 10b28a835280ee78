import { beforeAll, describe, expect, test } from '@jest/globals';
import { addScans, openScanQueue } from '@passport/queue/scans';
import {
  type QueueFixture,
  entered,
  jobData,
  useQueueFixture,
  question,
  openAdmission,
  type AdmitOne,
} from './queue-fixture.ts';

const fixture = useQueueFixture();
let receivers: ReturnType<typeof buildReceiver>[];
beforeAll(async () => {
  receivers = [buildReceiver(await fixture.connect()), buildReceiver(await fixture.connect())];
});

/** Admission and queue over a connection of its own, as in each receiver. */
function buildReceiver(redis: Awaited<ReturnType<QueueFixture['connect']>>) {
  const admit: AdmitOne = openAdmission({ redis });
  const queue = openScanQueue(redis);
  return async (change: Parameters<typeof question>[0]) => {
    const answer = entered(await admit(question(change)));
    const job = jobData({ event_id: answer.eventId });
    if (answer.add) await addScans(queue, [{ job, priority: answer.priority }]);
    return answer;
  };
}

/** Sends to both alternately. */
const sendAll = (count: number, changeOf: (n: number) => Parameters<typeof question>[0]) =>
  Promise.all(Array.from({ length: count }, async (_, n) => receivers[n % 2]?.(changeOf(n))));

const tally = (answers: readonly ({ kind: string } | undefined)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer?.kind ?? ''] = (counts[answer?.kind ?? ''] ?? 0) + 1;
  return counts;
};

describe('two receivers at the same moment', () => {
  test('T-20 of 50 identical deliveries one is new, and there is one job', async () => {
    const answers = await sendAll(50, () => ({}));

    expect(tally(answers)).toEqual({ new: 1, duplicate: 49 });
    expect(await fixture.queue.getJobCountByTypes('prioritized')).toBe(1);
    expect(await fixture.server.call('ZCARD', '{passport}:backlog:riverside')).toBe(1);
  });

  test('T-20 of 50 scans of one card and item one is new, the others are coalesced with it, and there is one job', async () => {
    const answers = await sendAll(50, (n) => ({ eventId: `evt_${n}`, bodyHashes: [`key1:body${n}`] }));

    expect(tally(answers)).toEqual({ new: 1, coalesced: 49 });
    const first = answers.find((answer) => answer?.kind === 'new')?.eventId;
    expect(new Set(answers.map((answer) => answer?.eventId))).toEqual(new Set([first]));
    expect(await fixture.queue.getJobCountByTypes('prioritized')).toBe(1);
  });
});
