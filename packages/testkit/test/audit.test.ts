import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const { readAudit } = (await import(join(import.meta.dirname, '../../../scripts/audit.mjs'))) as {
  readAudit(output: string): readonly string[] | null;
};
const url = 'https://github.com/advisories/GHSA-0000';
const vulnerability = (name: string, severity: string) => ({
  name,
  severity,
  range: '<2',
  via: ['x', { url }],
});

test('vulnerabilities of high and critical severity are one line each, with their advisories', () => {
  const vulnerabilities = {
    a: vulnerability('a', 'high'),
    b: vulnerability('b', 'moderate'),
    c: vulnerability('c', 'critical'),
  };
  expect(readAudit(JSON.stringify({ vulnerabilities }))).toEqual([
    `a <2: high ${url}`,
    `c <2: critical ${url}`,
  ]);
});

test('nothing known is an empty list', () => {
  expect(readAudit('{"vulnerabilities":{}}')).toEqual([]);
});

test.each([
  ['that does not answer', ''],
  ['that refuses', '{"statusCode":405,"error":{"summary":""}}\nnpm error A complete log'],
])('a registry %s is not one that knows of none', (_what, output) => {
  expect(readAudit(output)).toBeNull();
});
