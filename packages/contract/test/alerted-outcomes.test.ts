import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { ALERTED_OUTCOMES } from '@passport/contract';

test('every outcome that an alert looks for is counted from zero on, so that the first one fires it', async () => {
  const rules = await readFile(new URL('../../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8');
  const named = Array.from(rules.matchAll(/passport_jobs_total\{outcome=~?"([A-Z_|]+)"/g), ([, list = '']) =>
    list.split('|'),
  ).flat();
  expect(new Set(named)).toEqual(new Set(ALERTED_OUTCOMES));
});
