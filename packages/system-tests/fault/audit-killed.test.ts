import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ReceivedCall } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const KILLS = 2;
/** So many that their lines are written together. */
const AT_ONCE = 12;
let consortium: Consortium<'midland' | 'riverside'>;
/** Called at each call that the lending Koha reads, before it is answered. */
let onCall: (call: ReceivedCall) => void = () => undefined;
/** Events of before: what is still said of them is no moment of this one. */
const earlier: string[] = [];

beforeAll(async () => {
  consortium = await startConsortium({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      riverside: { koha: { onCall: (call) => onCall(call) } },
    },
    keys: { defaults: { retry: { checkout_within: '5m' } } },
  });
}, 60_000);
afterAll(() => consortium?.stop());

const isReportOfEnd = ({ body }: ReceivedCall): boolean =>
  typeof body === 'object' && body !== null && 'outcome' in body && body.outcome === 'COPIED';

test.each([
  [
    'creates the copy',
    ({ operation }: ReceivedCall) => operation === 'POST /patrons',
    ['looked up', 'sending a copy'],
  ],
  ['reports the end', isReportOfEnd, ['looked up', 'sending a copy', 'copy', 'checkout']],
] as const)(
  'a worker killed as it %s has written the audit lines of all it did',
  async (_, isMoment, actions) => {
    const { services, doubles } = consortium;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const card = registerPatron(doubles.midland, { prefix: '21234' });
      const [worker] = services.workers;
      let isDead: Promise<unknown> | undefined;
      onCall = (call) => {
        if (isMoment(call) && !earlier.some((event) => call.path.includes(event)))
          isDead ??= worker?.kill('SIGKILL');
      };
      const data = { cardnumber: card, item_barcode: shelveBook(doubles.riverside) };
      const { eventId } = await consortium.at('riverside').scan(data);
      await waitFor('the moment to come', () => isDead !== undefined);
      await isDead;
      onCall = () => undefined;

      expect(await auditOf(eventId)).toEqual(actions);
      await worker?.restart();
      await consortium.at('riverside').follow(eventId);
      earlier.push(eventId);
    }
  },
  120_000,
);

test('of many scans at once, a worker killed as it reports the first end has written the audit lines of that one', async () => {
  const { services, doubles } = consortium;
  const [worker] = services.workers;
  let isDead: Promise<unknown> | undefined;
  let reported = '';
  onCall = (call) => {
    if (isDead !== undefined || !isReportOfEnd(call) || earlier.some((event) => call.path.includes(event)))
      return;
    reported = /evt_[^/]+/.exec(call.path)?.[0] ?? '';
    isDead = worker?.kill('SIGKILL');
  };
  const scans = Array.from({ length: AT_ONCE }, () => ({
    cardnumber: registerPatron(doubles.midland, { prefix: '21234' }),
    item_barcode: shelveBook(doubles.riverside),
  }));
  const sent = await Promise.all(scans.map((data) => consortium.at('riverside').scan(data)));
  await waitFor('the moment to come', () => isDead !== undefined);
  await isDead;
  onCall = () => undefined;

  expect(await auditOf(reported)).toEqual(['looked up', 'sending a copy', 'copy', 'checkout']);
  await worker?.restart();
  for (const { eventId } of sent) await consortium.at('riverside').follow(eventId);
  earlier.push(...sent.map(({ eventId }) => eventId));
}, 120_000);

test('a worker killed at the first call of a sweep has written that it began: whoever goes on does not say it again', async () => {
  const { services } = consortium;
  const [worker] = services.workers;
  let isDead: Promise<unknown> | undefined;
  onCall = ({ operation }) => {
    if (operation === 'GET /patrons') isDead ??= worker?.kill('SIGKILL');
  };
  const swept = runPassport(['copies', 'refresh', '--at', 'riverside', '--dry-run'], { env: services.env });
  await waitFor('the sweep to call', () => isDead !== undefined);
  await isDead;
  onCall = () => undefined;

  expect(await auditOf('"sweep":')).toEqual(['sweep']);
  await worker?.restart();
  expect(await swept).toMatchObject({ code: 0 });
  expect(await auditOf('"sweep":')).toEqual(['sweep', 'sweep ended']);
}, 120_000);

/** What the log holds of an event, or of whatever else its lines have in common, in order. */
async function auditOf(event: string): Promise<readonly string[]> {
  const lines = (await consortium.services.logs()).split('\n').filter((line) => line.includes(event));
  return lines
    .map((line) => JSON.parse(line) as { audit?: boolean; action?: string })
    .flatMap(({ audit, action }) => (audit === true && action !== undefined ? [action] : []));
}
