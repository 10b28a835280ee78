import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  type JobData,
  eventStateOf,
  eventStateSchema,
  nextProgress,
  parseJob,
  queuedJob,
  queuedProgress,
  rewriteJob,
} from '@passport/contract';
import { aJob } from './a-job.ts';

/** Everything that version 1 had in Redis, in the middle of its work: see what was recorded in docs/decisions/0008-jobs-of-another-version.md. */
const recorded = JSON.parse(readFileSync(new URL('recorded/version-1.json', import.meta.url), 'utf8')) as {
  keys: Record<string, { type: string; value: { data: string } }>;
};
const payloads = Object.entries(recorded.keys)
  .filter(([key]) => key.startsWith('{passport}:scans:riverside.'))
  .map(([key, { value }]) => [key.split('.')[1] ?? '', JSON.parse(value.data) as JobData] as const);

const nameOf = (id: string): string => id;
const NOW = '2026-11-26T09:00:00.000Z';

const job = (): JobData => aJob({ progress: queuedProgress(NOW) });

describe('a payload that version 1 wrote', () => {
  test('was recorded in each of its states', () => {
    expect(payloads.map(([id]) => id).toSorted()).toEqual(
      ['evt_done', 'evt_failed', 'evt_made', 'evt_miss', 'evt_queued', 'evt_waiting'].toSorted(),
    );
  });

  test.each(payloads)('(%s) is read as it was, and its state is reported', (_id, data) => {
    const parsed = parseJob(data);

    expect(parsed).toMatchObject({ kind: 'job', job: data });
    if (parsed.kind === 'unreadable') throw new Error('it cannot be read');
    expect(eventStateSchema.safeParse(eventStateOf(parsed.job, false, nameOf)).error).toBeUndefined();
  });
});

describe('a job that nobody has worked on', () => {
  const queued = (change: Partial<JobData> = {}): JobData => {
    const { received_ms } = aJob();
    return aJob({ progress: queuedProgress(new Date(received_ms).toISOString()), ...change });
  };

  test('is queued without what is as at the beginning, and read whole', () => {
    const stored = queuedJob(queued());

    expect(stored).toHaveProperty('v', 2);
    expect(stored).toHaveProperty('progress', {});
    expect(Object.keys(stored)).not.toEqual(expect.arrayContaining(['sent']));
    expect(parseJob(stored)).toEqual({ kind: 'job', job: queued() });
  });

  test('was recorded, and is read as it was', () => {
    const text = readFileSync(new URL('recorded/version-2.json', import.meta.url), 'utf8');
    const parsed = parseJob(JSON.parse(text));

    expect(parsed).toMatchObject({ kind: 'job', job: { event_id: 'evt_queued', sent: null, made: null } });
    if (parsed.kind !== 'job') throw new Error('it cannot be read');
    expect(parsed.job.progress).toEqual(queuedProgress('2026-11-26T07:14:04.442Z'));
    expect(eventStateSchema.safeParse(eventStateOf(parsed.job, false, nameOf)).error).toBeUndefined();
  });

  test.each<[string, Partial<JobData>]>([
    ['sent something', { sent: { home: 'midland', home_key: 'midland:2', fields: [] } }],
    ['been retried', { retried: { at_ms: 1, stalled: 0 } }],
    ['come further', { progress: { ...queued().progress, seq: 3, state: 'waiting' } }],
  ])('is another than one that has %s', (_what, change) => {
    expect(queuedJob(queued(change))).toEqual(queued(change));
  });

  test('that says nothing of when it came is unreadable by that field', () => {
    expect(parseJob({ ...queuedJob(queued()), received_ms: 'then' })).toEqual({
      kind: 'unreadable',
      fields: ['received_ms'],
    });
  });
});

describe('a payload that a newer version wrote', () => {
  const newer = (change: object = {}) => ({ ...job(), v: 3, ...change });

  test.each<[string, object]>([
    ['by its number', newer()],
    ['with fields that are not there any more', { v: 3, event_id: 'evt_1', library: 'riverside', shape: [] }],
    ['with a reason to wait that nobody knows', waitingFor('THE_MOON')],
    ['with an outcome that nobody knows', { ...job(), progress: { ...job().progress, outcome: 'SHINY' } }],
    ['with one more key in its progress', { ...job(), progress: { ...job().progress, mood: 'good' } }],
  ])('is known as such: %s', (_how, data) => {
    const parsed = parseJob(data);

    expect(parsed).toMatchObject({ kind: 'newer', job: { event_id: 'evt_1', library: 'riverside' } });
    if (parsed.kind === 'unreadable') throw new Error('it cannot be read');
    expect(eventStateSchema.safeParse(eventStateOf(parsed.job, false, nameOf)).error).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['no event', { ...newer(), event_id: undefined }],
    ['no library', { ...newer(), library: 7 }],
    ['a field of another type in this version', { ...job(), branch: 7 }],
    ['a word that is missing', { ...job(), interface: undefined }],
    ['a version that never was', { ...job(), v: 0 }],
    ['a version that is no number', { ...job(), v: 'two' }],
    ['nothing', null],
    ['a list', []],
  ])('is not what is only broken: %s', (_how, data) => {
    expect(parseJob(data).kind).toBe('unreadable');
  });

  test('is written with what changed, and keeps what nobody here understands', () => {
    const data = newer({
      shape: ['new'],
      branch: { code: 'MAIN' },
      progress: { ...job().progress, mood: 'good', homes: [{ id: 'midland', sees: 'you' }] },
    });
    const parsed = parseJob(data);
    if (parsed.kind !== 'newer') throw new Error(`it is ${parsed.kind}`);
    const progress = nextProgress(parsed.job.progress, { state: 'failed', outcome: 'MISCONFIGURED' }, NOW);

    expect(rewriteJob(data, { ...parsed.job, progress })).toEqual({
      ...data,
      progress: { ...data.progress, seq: 3, state: 'failed', outcome: 'MISCONFIGURED', updated_at: NOW },
    });
  });

  test('is read with the history of its attempts', () => {
    const attempt = { at_ms: 1, ms: 2, calls: [], others: 0, result: 'NO_ANSWER' };

    expect(parseJob(newer({ attempts: [attempt] }))).toMatchObject({ job: { attempts: [attempt] } });
    expect(parseJob(newer({ attempts: 'many' }))).toMatchObject({ kind: 'newer', job: { branch: 'MAIN' } });
  });

  test('of this version there is nothing to keep: the job is written as it is', () => {
    expect(rewriteJob(job(), { ...job(), branch: 'EAST' })).toEqual({ ...job(), branch: 'EAST' });
  });
});

function waitingFor(reason: string): object {
  const waiting_for = { library: 'midland', reason, next_try_at: NOW };
  return { ...job(), progress: { ...job().progress, state: 'waiting', waiting_for } };
}
