import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger } from '@passport/runtime';
import { buildAudit } from '../src/provision/audit.ts';
import { aScan } from './builders.ts';

test("each audit line names the lending Koha's number of who scanned, so that a home can ask who it was", () => {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const audit = buildAudit(createLogger({ name: 'worker', level: 'info', destination }));

  audit.notShared(aScan({ operator: 51 }), 'midland', 'opted out');
  audit.notEligible(aScan({ operator: null }), 'midland', ['EXPIRED']);

  expect(lines).toEqual([
    expect.objectContaining({ audit: true, action: 'not shared', lending: 'riverside', operator: 51 }),
    expect.objectContaining({ audit: true, action: 'not eligible', operator: null }),
  ]);
});
