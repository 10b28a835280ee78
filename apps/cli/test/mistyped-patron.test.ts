import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';

let bench: CopiesBench;
beforeAll(async () => {
  bench = await startCopiesBench();
});
afterAll(() => bench.close());

/** The last line of the audit. */
const lastLine = (err: string): unknown =>
  JSON.parse(err.split('\n').findLast((line) => line.startsWith('{')) ?? '');

describe.each(['export --patron', 'erase'])('%s', (command) => {
  const run = (homeKey: string) => bench.run([...command.split(' '), homeKey]);

  test('refuses a card in place of a patron number, and does not repeat it', async () => {
    const { code, out, err } = await run('midland:21234000000017');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toContain('21234');
  });

  test('leaves a number of nobody, which may be a card, out of the audit', async () => {
    const { out, err } = await run('midland:2123400017');
    expect(out).toContain('midland:2123400017');
    expect(lastLine(err)).toMatchObject({ audit: true, home: 'midland' });
    expect(err).not.toContain('21234');
  });

  test('says so where the configuration does not have the home library', async () => {
    const { code, err } = await run('midlnd:812');
    expect(err).toContain('the configuration has no library "midlnd"');
    expect(code).toBe(1);
  });
});
