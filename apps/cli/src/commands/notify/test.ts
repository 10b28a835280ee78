import { cliConfig } from '@passport/config';
import { type Delivery, deliver, testMessage } from '@passport/notify';
import { openNotices } from '@passport/queue/notices';
import { withQueueOf } from '../../connect/with-queue.ts';
import { type CliDeps, defineCommand, Failure, optional, WrongUse } from '../../program/index.ts';

type Endpoint = ReturnType<typeof cliConfig>['consortium']['notify'][number];

interface Tried {
  readonly name: string;
  readonly delivery: Delivery;
  readonly ms: number;
  /** It had stopped after a 410, and messages are sent there again. */
  readonly isResumed: boolean;
}

const LONGEST_ANSWER = 200;

function describe({ name, delivery, ms, isResumed }: Tried): string {
  const { kind, status, code, answer } = delivery;
  // One line, whatever they say: the next one is about the next endpoint.
  const text = answer.slice(0, LONGEST_ANSWER).replaceAll(/\s+/g, ' ').trim();
  const what = status === null ? `no answer (${code ?? 'unknown'})` : `answered ${status}`;
  // What accepts says `ok`, if anything; of what does not, a bare `ok` would say the opposite.
  const isSaid = kind !== 'delivered' && !/^(?:ok)?$/i.test(text);
  const more = [isSaid ? `: ${text}` : '', isResumed ? '; messages are sent there again' : ''].join('');
  return `${name}: ${kind === 'delivered' ? 'accepted' : 'not accepted'}, ${what} in ${ms} ms${more}`;
}

function chosen(endpoints: readonly Endpoint[], name: string | undefined): readonly Endpoint[] {
  if (endpoints.length === 0)
    throw new Failure('nobody is notified: the configuration has no notify', { code: 'no_endpoint' });
  const found = endpoints.filter((endpoint) => name === undefined || endpoint.name === name);
  if (found.length > 0) return found;
  const known = endpoints.map((endpoint) => endpoint.name).join(', ');
  throw new WrongUse(`--name must be the name of an endpoint in notify: ${known}`);
}

async function trySending(
  endpoint: Endpoint,
  consortium: ReturnType<typeof cliConfig>['consortium'],
  deps: CliDeps,
): Promise<Omit<Tried, 'isResumed'>> {
  const { fetch: send, now, newId, signal } = deps;
  const startedAt = performance.now();
  const notice = { id: `notice_${newId()}`, message: testMessage(consortium, now()) };
  const delivery = await deliver(endpoint, notice, { fetch: send, now, signal }, true);
  return { name: endpoint.name, delivery, ms: Math.round(performance.now() - startedAt) };
}

export const notifyTest = defineCommand({
  summary: 'send a test message to the endpoints of notify',
  description:
    'Sends one message of the type test to each endpoint of notify, or to one, and prints what came back. It is sent at once and ' +
    'once: no worker is needed, and nothing is queued. An endpoint that answered 410 before gets messages again once it accepts ' +
    'the test. Exit code 1 if one did not accept it.',
  examples: ['passport notify test', 'passport notify test --name ops'],
  options: { name: optional('<name>', 'only the endpoint of this name') },
  run: async ({ name }, _args, report, deps) => {
    const config = cliConfig(deps.env, deps.readFile, ['notify']);
    const { consortium } = config;
    const endpoints = chosen(consortium.notify, name);
    const tried = await withQueueOf(config, async ({ redis }) => {
      const notices = openNotices(redis);
      return Promise.all(
        endpoints.map(async (endpoint): Promise<Tried> => {
          const sent = await trySending(endpoint, consortium, deps);
          const isAccepted = sent.delivery.kind === 'delivered';
          if (isAccepted) await notices.forgetFailure(endpoint.name);
          return { ...sent, isResumed: isAccepted && (await notices.resume(endpoint.name)) };
        }),
      );
    });
    report.json({
      endpoints: tried.map(({ name: endpoint, delivery, ms, isResumed }) => ({
        endpoint,
        accepted: delivery.kind === 'delivered',
        status: delivery.status,
        code: delivery.code,
        answer: delivery.answer.slice(0, LONGEST_ANSWER),
        ms,
        resumed: isResumed,
      })),
    });
    for (const each of tried) report.line(describe(each));
    return tried.every(({ delivery }) => delivery.kind === 'delivered') ? 0 : 1;
  },
});
