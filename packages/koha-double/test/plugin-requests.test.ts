import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Respond } from './support/fake-receiver.ts';
import { type Case, prepare, send } from './support/plugin-case.ts';
import { withReceiver } from './support/with-receiver.ts';

/** What the plugin must answer alike (its `t/requests.t`). */
const FILE = new URL('../../../apps/koha-plugin/t/requests.json', import.meta.url);
const cases = (JSON.parse(readFileSync(FILE, 'utf8')) as readonly Case[]).flatMap(eachCase);

function eachCase(of: Case): Case[] {
  const steps = of.steps.flatMap(({ each, ...step }) =>
    each === undefined ? [step] : each.map((differs) => ({ ...step, ...differs })),
  );
  const [first, ...others] = steps;
  if (of.each === undefined || first === undefined) return [{ ...of, steps }];
  return of.each.map(({ name, receiver = of.receiver, ...differs }) => ({
    ...of,
    name: `${of.name} ${name}`,
    ...(receiver !== undefined && { receiver }),
    steps: [{ ...first, ...differs }, ...others],
  }));
}

test.each(cases.map((each) => [each.name, each] as const))('%s', (_name, each) =>
  withReceiver(respondOf(each), async (koha, events) => {
    prepare(koha, each);
    const sent = (): string => String(events.at(-1)?.headers['webhook-id']);
    for (const step of each.steps) {
      const { status, answer, lacks = [], headers = {} } = step;
      const reply = await send(koha, step, sent);
      const where = [step.request, step.body];
      expect([...where, reply.status, reply.body]).toEqual([...where, status, reply.body]);
      if (answer !== undefined) {
        const named = answer['event_id'] === '$sent' ? { event_id: sent() } : {};
        expect(reply.body).toMatchObject({ ...answer, ...named });
      }
      for (const name of lacks) expect(reply.body).not.toHaveProperty(name);
      for (const [name, value] of Object.entries(headers)) expect(reply.headers.get(name)).toBe(value);
    }
    if (each.sent !== undefined)
      expect(events.map(({ method, url }) => `${method} ${url}`)).toEqual(each.sent);
  }),
);

function respondOf({ receiver }: Case): Respond | undefined {
  if (receiver === undefined) return undefined;
  return () => (receiver === 'silent' ? null : receiver);
}
