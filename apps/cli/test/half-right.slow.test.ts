import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoSamples } from '@passport/koha-double';
import { type RealService, startRealService } from './real-service.ts';

// Part of what was named is not there: the command does what it can and reports both.
const midlandCards = demoSamples('midland');

let service: RealService;
beforeAll(async () => {
  service = await startRealService();
}, 60_000);
afterAll(() => service?.stop(), 60_000);

test('copies export lists the receipts of a library that was removed from the file, with a warning beside them', async () => {
  const { event_id: eventId } = await service.send(midlandCards.eligible[9] ?? '');
  const readFile = (path: string) => {
    const text = readFileSync(path, 'utf8');
    if (path !== service.env['PASSPORT_CONFIG']) return text;
    const file = JSON.parse(text) as { libraries: { id: string }[] };
    return JSON.stringify({ ...file, libraries: file.libraries.filter(({ id }) => id !== 'midland') });
  };
  for (const format of [[], ['--json']]) {
    const { code, out, err } = await service.here(
      ['copies', 'export', '--of', 'midland', ...format],
      '',
      readFile,
    );
    expect({ code, err }).toEqual({
      code: 0,
      err: 'the configuration has no library "midland": earlier receipts are listed, if there are any\n',
    });
    expect(out).toContain(eventId);
  }
  const { code, out, err } = await service.here(['copies', 'export', '--at', 'riversde']);
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'at,home,lending,home_key,event,fields,what,read,consent,patron_id,override\n',
    err: expect.stringContaining('no library "riversde"'),
  });
});

test('a mistyped event among others that are to be retried is reported, and the others are retried', async () => {
  const categories = service.riverside.settings().categories as {
    patron_category_id: string;
    name: string;
  }[];
  service.riverside.putSettings({
    categories: categories.filter(({ patron_category_id: code }) => code !== 'PT'),
  });
  const one = await service.send(midlandCards.eligible[10] ?? '');
  const other = await service.send(midlandCards.eligible[11] ?? '');
  service.riverside.putSettings({ categories });
  const named = (id: string) => `riverside.${id}`;

  const args = ['events', 'retry', named(one.event_id), 'evt_typo', named(other.event_id)];
  const unusable = await service.here([...args, 'nowhere.evt_1', '--json']);
  expect(unusable).toMatchObject({ code: 2, err: expect.not.stringContaining('audit') });

  const { code, out } = await service.here([...args, '--json']);
  const { events } = JSON.parse(out) as { events: { event: string; kind: string }[] };
  expect(code).toBe(1);
  expect(events.map(({ event, kind }) => [event, kind])).toEqual([
    [named(one.event_id), 'retried'],
    ['evt_typo', 'unknown'],
    [named(other.event_id), 'retried'],
  ]);

  const text = await service.here(args);
  expect(text.code).toBe(1);
  expect(text.out.split('\n')).toHaveLength(4);
  expect(text.out).toContain('evt_typo: the queue has no such event\n');
});
