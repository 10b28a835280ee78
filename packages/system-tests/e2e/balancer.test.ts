import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildScanEvent, createReceiverClient, signedRequest, waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { type Balancer, startBalancer } from '../harness/start-balancer.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { checkWorkflow } from '../harness/check-workflow.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries>;
let balancer: Balancer;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: threeLibraries,
    receivers: 3,
    env: { TRUST_PROXY: '127.0.0.1/32' },
  });
  balancer = await startBalancer(consortium.services.receivers.map(({ url }) => url));
}, 60_000);
afterAll(async () => {
  await balancer?.close();
  await consortium?.stop();
});

const desk = () =>
  createReceiverClient({
    receiverUrl: balancer.url,
    library: 'riverside',
    secret: consortium.secrets.riverside,
  });

test('the workflow passes at receivers behind a balancer, whichever of them a request comes to', async () => {
  await checkWorkflow({ ...consortium, at: desk });
  expect(Math.min(...balancer.answered)).toBeGreaterThan(0);
}, 60_000);

test('receivers are stopped and started one after the other, and every event is taken and done once', async () => {
  const { midland, riverside } = consortium.doubles;
  const client = desk();
  const roll = { isUnderWay: true };
  const sendUntilTaken = async (): Promise<{ id: string; card: string }> => {
    const card = registerPatron(midland);
    const body = buildScanEvent({ cardnumber: card, item_barcode: null });
    const request = signedRequest({ secret: consortium.secrets.riverside, body });
    await waitFor('it to be taken', async () => (await client.deliver(request)).status === 202, {
      timeoutMs: 20_000,
    });
    return { id: request.id, card };
  };
  const line = async (): Promise<{ id: string; card: string }[]> => {
    const taken: { id: string; card: string }[] = [];
    while (roll.isUnderWay) taken.push(await sendUntilTaken());
    return taken;
  };
  const lines = Promise.all([line(), line()]);
  for (const receiver of consortium.services.receivers) {
    expect(await receiver.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await receiver.restart();
  }
  roll.isUnderWay = false;
  const taken = (await lines).flat();
  expect(taken.length).toBeGreaterThan(3);
  for (const { id, card } of taken) {
    expect(await client.follow(id)).toMatchObject({ outcome: 'COPIED', attempt: 1 });
    expect(riverside.state(card).patrons).toHaveLength(1);
  }
}, 60_000);
