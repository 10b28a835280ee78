import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NO_TRACING, type Tracing, startTracing } from '@passport/runtime';
import { leakGuard, waitFor } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

const own = leakGuard({ beforeEach, afterEach });

interface Sent {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status: { readonly code?: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** Traces to a collector of this test; `sent` closes them and returns the spans by name, and what was sent as text. */
async function startTraces(options: { answer?: number } = {}) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += String(text)));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(options.answer ?? 200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  own({
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  });
  const endpoint = `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { log, text } = capturedLog();
  const tracing = await startTracing({ endpoint, process: 'worker', now: Date.now, log });
  return {
    tracing,
    logged: text,
    async sent() {
      await tracing.close();
      const spans = bodies.flatMap((body) => {
        const { resourceSpans } = JSON.parse(body) as {
          resourceSpans: { scopeSpans: { spans: Sent[] }[] }[];
        };
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: each }) => each));
      });
      return { spans: new Map(spans.map((span) => [span.name, span])), text: bodies.join('\n') };
    },
  };
}

const step = (name: string, parent?: string) => () => ({ name, kind: 'internal' as const, parent });

test('whoever goes on with the context of a span is below it, in another process too', async () => {
  const { tracing, sent } = await startTraces();
  let handed: string | undefined;
  await tracing.within(step('delivery'), () => {
    handed = tracing.traceparent();
    return Promise.resolve();
  });
  await tracing.within(step('scan', handed), () => Promise.resolve());
  const { spans } = await sent();
  const [delivery, scan] = [spans.get('delivery'), spans.get('scan')];
  expect(handed).toBe(`00-${delivery?.traceId}-${delivery?.spanId}-01`);
  expect(scan).toMatchObject({ traceId: delivery?.traceId, parentSpanId: delivery?.spanId });
});

test('work done at the same time keeps to its own span', async () => {
  const { tracing, sent } = await startTraces();
  const work = (name: string) =>
    tracing.within(step(name), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      tracing.called({ facts: { operation: `call of ${name}` }, ms: 20 });
    });
  await Promise.all([work('one'), work('two')]);
  const { spans } = await sent();
  for (const name of ['one', 'two']) {
    expect(spans.get(`call of ${name}`)?.parentSpanId).toBe(spans.get(name)?.spanId);
  }
  const call = spans.get('call of one');
  const lasted = BigInt(call?.endTimeUnixNano ?? 0) - BigInt(call?.startTimeUnixNano ?? 0);
  expect(Number(lasted) / 1e6).toBeCloseTo(20, 0);
});

test('a parent that cannot be read begins a trace, and a call outside of any span is left out', async () => {
  const { tracing, sent } = await startTraces();
  tracing.called({ facts: { operation: 'GET /' }, ms: 1 });
  await tracing.within(step('scan', 'not a context'), () => Promise.resolve());
  const { spans } = await sent();
  expect([...spans.keys()]).toEqual(['scan']);
  expect(spans.get('scan')?.parentSpanId ?? '').toBe('');
});

test('work that fails is marked and fails, and nothing of its error is sent', async () => {
  const { tracing, sent } = await startTraces();
  const failing = tracing.within(step('scan'), () => Promise.reject(new Error('Agnieszka 21234')));
  await expect(failing).rejects.toThrow('Agnieszka');
  const { spans, text } = await sent();
  expect(spans.get('scan')?.status.code).toBe(2);
  expect(text).not.toContain('Agnieszka');
});

test('a collector that refuses is logged once, without its address', async () => {
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '10';
  const { tracing, sent, logged } = await startTraces({ answer: 400 });
  delete process.env['OTEL_BSP_SCHEDULE_DELAY'];
  await tracing.within(step('scan'), () => Promise.resolve());
  await waitFor('the line', () => logged() !== '');
  await tracing.within(step('scan'), () => Promise.resolve());
  await sent();
  expect(logged().match(/the OpenTelemetry collector does not take traces/g)).toHaveLength(1);
  expect(logged()).not.toContain('127.0.0.1');
  expect(logged()).not.toContain('secret');
});

describe('without an endpoint', () => {
  const off = (): Promise<Tracing> =>
    startTracing({ endpoint: null, process: 'worker', now: Date.now, log: capturedLog().log });

  test('work is done and its description is not evaluated', async () => {
    const tracing = await off();
    expect(tracing).toBe(NO_TRACING);
    let calls = 0;
    const start = () => {
      calls += 1;
      return { name: 'scan', kind: 'consumer' as const };
    };
    expect(await tracing.within(start, () => Promise.resolve(7))).toBe(7);
    expect(calls).toBe(0);
    expect(tracing.traceparent()).toBeUndefined();
  });
});
