import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger } from '@passport/runtime';
import { openHistory, openScan } from '../src/provision/scan.ts';
import { buildAudit } from '../src/provision/audit.ts';
import { ENCRYPTION, aScan, jobData } from './builders.ts';

const copy = {
  kind: 'copy',
  body: {} as never,
  homeKey: 'midland:17',
  fields: ['surname'],
  agreed: ['surname'],
} as const;
const unheard = { silent: [], refused: [] };

function bench() {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, audit: buildAudit(createLogger({ name: 'worker', level: 'info', destination })) };
}

test("each audit line names the lending Koha's number of who scanned, so that a home can find out who it was", () => {
  const { lines, audit } = bench();
  const scan = openScan(
    jobData({ operator: 77 }),
    ENCRYPTION,
    false,
    openHistory(() => 0),
  );

  audit.lookedUp(scan, ['midland'], { kind: 'nowhere' });
  audit.refusedBy(scan, {
    kind: 'refused',
    library: 'midland',
    problem: { what: 'credentials', name: null },
    ...unheard,
  });
  audit.notShared(scan, 'midland', 'opted out');
  audit.notEligible(scan, 'midland', ['EXPIRED']);
  audit.sending(scan, copy);
  audit.copied(scan, copy, { kind: 'done', outcome: 'LOCAL_CONFLICT' });
  audit.checkedOut(scan, 51, { result: 'CHECKED_OUT', keys: [] });

  const actions = [
    'looked up',
    'refused',
    'not shared',
    'not eligible',
    'sending a copy',
    'copy',
    'checkout',
  ];
  const who = {
    audit: true,
    event: 'evt_1',
    lending: 'riverside',
    operator: 77,
    card_hash: 'kid001:card-hash',
  };
  expect(lines).toEqual(actions.map((action) => expect.objectContaining({ ...who, action })));
});

test('the line of a copy has the outcome as its code, and says whether it is the service’s own', () => {
  const { lines, audit } = bench();
  const scan = aScan();
  const there = { home: 'midland', home_key: 'midland:2', patron_id: 44, disclosed: null } as const;
  audit.copied(scan, copy, { kind: 'there', made: { ...there, outcome: 'COPIED', reasons: [] } });
  audit.copied(scan, copy, {
    kind: 'there',
    made: { ...there, outcome: 'ALREADY_LOCAL', reasons: ['REKEYED'] },
  });
  audit.copied(scan, copy, { kind: 'done', outcome: 'ALREADY_LOCAL', patronId: 44 });
  const { homeKey: home_key, fields } = copy;
  expect(lines).toEqual([
    expect.objectContaining({ home_key, result: 'COPIED', own: true, patron_id: 44, fields }),
    expect.objectContaining({ result: 'ALREADY_LOCAL', own: true, rekeyed: true }),
    expect.not.objectContaining({ own: true }),
  ]);
});

test('where nobody was logged in, the line says so', () => {
  const { lines, audit } = bench();
  audit.notEligible(aScan({ operator: null }), 'midland', ['EXPIRED']);
  expect(lines).toEqual([expect.objectContaining({ action: 'not eligible', operator: null })]);
});
