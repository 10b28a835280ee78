import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/**
 * The tests that hold the promises of docs/security.md, by the threat that each answers: file and name of the test. A row
 * without a test is a promise that nobody keeps, and a test that is renamed or gone is noticed here.
 */
const HELD_BY: Readonly<Record<string, readonly (readonly [file: string, name: string])[]>> = {
  'A forged or replayed event': [
    ['apps/receiver/test/answers.test.ts', 'an unknown library is answered like a bad signature'],
    ['packages/queue/test/idempotency.test.ts', 'the same delivery again is a duplicate that nobody adds'],
  ],
  'Probing the receiver for library ids or secrets': [
    [
      'apps/receiver/test/unauthorized.test.ts',
      'that a secret is wrong, with the very words for a library that there is not',
    ],
    ['apps/receiver/test/unauthorized.test.ts', 'of an old delivery only its age'],
    ['apps/receiver/test/unauthorized.test.ts', 'can have so many secrets tried in a second, and no more'],
    ['apps/cli/test/doctor-settings.test.ts', 'neither a secret nor a proof is printed'],
  ],
  'A stolen webhook secret, used to guess card numbers': [
    ['packages/queue/test/ledger.test.ts', 'an enumeration stops at their limit'],
    ['apps/worker/test/scan-worker.slow.test.ts', 'so that nobody tries all cards'],
  ],
  'A stolen webhook secret, used to flood': [
    ['packages/queue/test/admission-rate.test.ts', 'burst leaves another’s rate alone'],
  ],
  "Our user's key for one Koha is stolen": [
    ['packages/config/test/environment.test.ts', 'the receiver needs no API key of any Koha, and holds none'],
  ],
  "A copy of Redis' disk or backup": [
    ['apps/worker/test/scan-worker.slow.test.ts', 'nothing personal left in Redis'],
    [
      'packages/queue/test/rewrite-log.test.ts',
      'what was removed leaves the append-only file within the hour',
    ],
  ],
  'Logs or error reports in the wrong hands': [
    ['packages/system-tests/e2e/planted.test.ts', 'T-32 planted names, addresses, cards, items and secrets'],
    ['packages/koha-client/test/failures.test.ts', 'nothing personal or secret hangs on an error'],
  ],
  "A home library's Koha is hostile or broken": [
    [
      'packages/system-tests/fault/hostile-koha/test-strangers.ts',
      'holds nobody up, fills no memory, and its words go nowhere',
    ],
    ['packages/patron-rules/test/any-copy.slow.test.ts', 'nothing but allowed fields goes out'],
    ['packages/patron-rules/test/patron-copy.test.ts', 'has no key outside the allow-list'],
  ],
  'A lending library, or a clerk there, shows copies that are none': [
    [
      'packages/system-tests/fault/hostile-records.test.ts',
      'gets no value without a receipt of it, delays nobody, and fills nothing',
    ],
    ['apps/worker/test/on-record.test.ts', 'gets nothing, and home is not asked'],
    ['apps/worker/test/on-record.test.ts', 'with the old hashes beside it, gets nothing'],
    [
      'apps/worker/test/on-record.test.ts',
      'is no more copies in an hour than the limit of the lending library',
    ],
    ['packages/patron-rules/test/refresh.test.ts', 'nothing is written without a hash of what is there'],
  ],
  "A home library gives a patron another library's card": [
    ['apps/worker/test/on-record.test.ts', 'pattern is not taken'],
  ],
  'A lending library invents debts of patrons': [
    ['apps/worker/test/owed.test.ts', 'is never set without a receipt, whatever the lending library says'],
    ['apps/worker/test/owed.test.ts', 'is never set where the agreement only has it reported'],
    ['apps/worker/test/owed.test.ts', 'needs two readings nearly a day apart'],
    ['apps/worker/test/owed.test.ts', 'is set for no more than 50 patrons in a night'],
    ['packages/koha-client/test/owed-bounds.test.ts', 'an amount that nobody owes'],
  ],
  "A lending library's Koha has copies without an end, or invents home keys": [
    [
      'apps/worker/test/sweep-bounds.test.ts',
      'rows without an end are looked at up to a limit, and the report says so',
    ],
    ['apps/worker/test/sweep-bounds.test.ts', 'at most a hundred unknown home libraries are named'],
    ['apps/worker/test/sweep-bounds.test.ts', 'home keys that are not answered do not make the state grow'],
    ['apps/worker/test/sweep-worker.test.ts', 'a long one does not keep the next from beginning'],
    ['apps/worker/test/sweep-worker.test.ts', 'a sweep under which two workers died fails, and says so'],
    ['apps/worker/test/owed-jobs.test.ts', 'what copies owe without an end is not read to it'],
  ],
  'A library looks up patrons without an agreement': [
    ['packages/patron-rules/test/candidates.test.ts', 'only under an agreement in this direction'],
  ],
  'The wrong person': [
    ['packages/patron-rules/test/locate.test.ts', 'T-10 is ambiguous with two, also while a third is silent'],
  ],
  'A patron who is blocked at home borrows elsewhere': [
    [
      'packages/patron-rules/test/eligibility.test.ts',
      'T-12 any missing or bad fact under any policy is never a yes',
    ],
  ],
  'A checkout after the patron has left': [
    ['packages/system-tests/fault/long-outage.test.ts', 'the copy is made, the checkout is not'],
  ],
  'Card numbers with `/`, `?`, `%`, `..`': [['packages/koha-client/test/look-ups.test.ts', 'T-06']],
  'Sample, short, shared or hand-made secrets': [
    ['packages/config/test/secret-faults.ts', "another library's webhook secret"],
    ['packages/config/test/secret-faults.ts', 'a webhook secret of zeros'],
    ['packages/config/test/environment.test.ts', 'T-22 a sample password is refused'],
  ],
  'A break-in at the receiver or the dashboard': [
    ['packages/config/test/environment.test.ts', 'the dashboard needs none of both, and no key'],
    ['packages/system-tests/e2e/compose-keys.test.ts', 'each process gets a copy of what it uses'],
    ['packages/config/test/documents.test.ts', 'gives each process the secrets that it uses and no others'],
  ],
  'Strangers who hold connections or flood the log': [
    ['packages/system-tests/fault/hostile-connections.test.ts', 'signed events go on'],
    ['apps/receiver/test/strangers.test.ts', 'has a sample of what strangers send, and every event'],
  ],
  'A slow or silent library': [['packages/system-tests/fault/black-hole.test.ts', 'T-08']],
  "Guessing the dashboard's password": [
    ['apps/dashboard/test/login.test.ts', 'each further wrong try doubles the wait'],
    ['apps/dashboard/test/login.test.ts', 'keep that user out nowhere else'],
    ['apps/dashboard/test/behind-proxy.test.ts', 'count for the address behind it'],
    ['apps/dashboard/test/access.test.ts', 'changes nothing, although the browser adds the login'],
  ],
  'A user of one library looks at another': [
    [
      'apps/dashboard/test/scope.test.ts',
      'no route answers anything of another library, whatever is guessed',
    ],
  ],
  'A compromised dependency': [
    [
      'packages/config/test/documents.test.ts',
      'docker-compose.yml gives away nothing that a break-in could use',
    ],
  ],
};

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('each threat of docs/security.md is answered by a test, and no other is', () => {
  const [, table = ''] = read('docs/security.md').split('\n## Threats and mitigations\n');
  const threats = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (?!threat|-)(.+?) +\|/gm)];
  expect(threats.map(([, threat]) => threat)).toEqual(Object.keys(HELD_BY));
});

test('each of these tests is there', () => {
  const named = Object.values(HELD_BY).flat();
  const lost = named.filter(([file, name]) => !read(file).includes(name));
  expect(lost).toEqual([]);
});
