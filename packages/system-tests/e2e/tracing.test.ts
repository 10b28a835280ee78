import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { type CollectedSpan, type Collector, startCollector } from '../harness/start-collector.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

const REPORT = 'PUT /contrib/passport/scans/{event_id}/outcome';

/**
 * The packages of OpenTelemetry that a process had loaded, by what V8 says when it ends: each module of a bundle is a
 * function with the module's path as its name, which runs when the module is first needed.
 */
async function loadedTelemetry(coverageDir: string): Promise<ReadonlySet<string>> {
  const loaded = new Set<string>();
  for (const file of await readdir(coverageDir)) {
    const { result } = JSON.parse(await readFile(join(coverageDir, file), 'utf8')) as {
      result: { functions: { functionName: string; ranges: { count: number }[] }[] }[];
    };
    for (const { functionName, ranges } of result.flatMap(({ functions }) => functions)) {
      const [, name] = /node_modules\/(@opentelemetry\/[^/]+)\//.exec(functionName) ?? [];
      if (name !== undefined && ranges.some(({ count }) => count > 0)) loaded.add(name);
    }
  }
  return loaded;
}

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  let collector: Collector;
  let consortium: Consortium<keyof typeof threeLibraries>;
  let coverageDir: string;
  beforeAll(async () => {
    coverageDir = await mkdtemp(join(tmpdir(), 'passport-coverage-'));
    collector = await startCollector();
    consortium = await startConsortium({
      libraries: threeLibraries,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        NODE_V8_COVERAGE: coverageDir,
      },
    });
  }, 60_000);
  afterAll(async () => {
    await consortium?.stop();
    await collector?.close();
    await rm(coverageDir, { recursive: true, force: true });
  });

  const spansOf = (eventId: string): readonly CollectedSpan[] => {
    const traces = new Set(
      collector.spans
        .filter(({ attributes }) => attributes['passport.event'] === eventId)
        .map(({ traceId }) => traceId),
    );
    return collector.spans.filter(({ traceId }) => traces.has(traceId));
  };
  /** The whole trace of an event, once its end was reported. */
  const traceOf = (eventId: string): Promise<readonly CollectedSpan[]> =>
    waitFor(`the trace of ${eventId}`, () => {
      const spans = spansOf(eventId);
      const isWhole = ['POST /webhooks/{library}', 'scan', 'report'].every((name) =>
        spans.some((span) => span.name === name),
      );
      return isWhole && spans.some(({ name }) => name === REPORT) ? spans : null;
    });
  /** The names of a span and of those above it, the first one first. */
  const pathOf = (span: CollectedSpan, spans: readonly CollectedSpan[]): string => {
    const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return above === undefined ? span.name : `${pathOf(above, spans)} > ${span.name}`;
  };

  test('an event is one trace, from its delivery to each call at a Koha, each below what made it', async () => {
    const { midland, riverside } = consortium.doubles;
    const desk = consortium.at('riverside');
    const { eventId } = await desk.scan({
      cardnumber: registerPatron(midland),
      item_barcode: shelveBook(riverside),
    });
    await desk.follow(eventId);
    const spans = await traceOf(eventId);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const calls = spans.filter(({ kind }) => kind === 3);
    const at = ({ attributes, ...span }: CollectedSpan) =>
      `${pathOf({ attributes, ...span }, spans)} @${attributes['passport.library']} ${attributes['passport.status']}`;
    const root = 'POST /webhooks/{library}';
    expect(
      calls
        .map(at)
        .filter((call) => !/oauth|GET \/ @/.test(call))
        .sort(),
    ).toEqual([
      `${root} > report > ${REPORT} @riverside 204`,
      `${root} > scan > checkout > POST /checkouts @riverside 201`,
      `${root} > scan > copy > POST /patrons @riverside 201`,
      `${root} > scan > locate > GET /patrons @lakeside 200`,
      `${root} > scan > locate > GET /patrons @midland 200`,
    ]);
    const first = spans.find(({ parentSpanId }) => parentSpanId === '');
    expect(first).toMatchObject({ service: 'patron-passport-receiver', kind: 2, failed: false });
    expect(first?.attributes).toEqual({
      'passport.library': 'riverside',
      'passport.event': eventId,
      'passport.outcome': 'accepted',
    });
    const scan = spans.find(({ name }) => name === 'scan');
    expect(scan).toMatchObject({ service: 'patron-passport-worker', kind: 5 });
    expect(scan?.attributes).toEqual({
      'passport.library': 'riverside',
      'passport.event': eventId,
      'passport.outcome': 'COPIED',
    });
  });

  test('another try is another span of the same trace, and a call without a good answer is marked', async () => {
    const { midland } = consortium.doubles;
    const desk = consortium.at('riverside');
    midland.addFaults([
      { operation: 'GET /patrons', kind: 'status', status: 502, times: 1 },
      { operation: 'GET /patrons', kind: 'reset_before', times: 1 },
    ]);
    const { eventId } = await desk.scan({ cardnumber: registerPatron(midland), item_barcode: null });
    expect(await desk.follow(eventId)).toMatchObject({ outcome: 'COPIED', attempt: 3 });
    const spans = await waitFor('three tries in the trace', () => {
      const all = spansOf(eventId);
      return all.filter(({ name }) => name === 'scan').length === 3 ? all : null;
    });
    expect(
      spans.filter(({ name }) => name === 'scan').map(({ attributes }) => attributes['passport.outcome']),
    ).toEqual(['retry', 'retry', 'COPIED']);
    const requests = spans.filter(
      ({ name, attributes }) => name === 'GET /patrons' && attributes['passport.library'] === 'midland',
    );
    expect(requests.map(({ attributes, failed }) => [attributes['passport.status'], failed])).toEqual([
      [502, true],
      ['reset', true],
      [200, false],
    ]);
  });

  test('nobody is named in it: ids and codes only', async () => {
    const { midland, riverside } = consortium.doubles;
    const desk = consortium.at('riverside');
    const [card, book] = [registerPatron(midland), shelveBook(riverside)];
    const { eventId } = await desk.scan({ cardnumber: card, item_barcode: book });
    await desk.follow(eventId);
    await traceOf(eventId);
    const received = collector.received.join('\n');
    expect(received).toContain(eventId);
    for (const planted of [card, book, 'Agnieszka', 'Harbour', 'post.example', '127.0.0.1']) {
      expect(received).not.toContain(planted);
    }
    const keys = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...keys].sort()).toEqual([
      'passport.event',
      'passport.library',
      'passport.operation',
      'passport.outcome',
      'passport.status',
    ]);
  });

  test("a delivery that does not verify is traced under no name of the sender's", async () => {
    const before = collector.spans.length;
    const response = await fetch(`${consortium.services.receivers[0]?.url}/webhooks/21234000000017`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'evt_stranger',
        'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
        'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
      },
      body: '{}',
    });
    expect(response.status).toBe(401);
    const span = await waitFor('its span', () =>
      collector.spans.slice(before).find(({ kind }) => kind === 2),
    );
    expect(span.attributes).toEqual({ 'passport.library': 'unknown', 'passport.outcome': 'unauthorized' });
  });

  test('a collector that goes away costs no event, delays no stop, and is named in no log', async () => {
    const { midland, riverside } = consortium.doubles;
    await collector.close();
    const desk = consortium.at('riverside');
    const scan = async () => {
      const { eventId } = await desk.scan({
        cardnumber: registerPatron(midland),
        item_barcode: shelveBook(riverside),
      });
      return desk.follow(eventId);
    };
    expect(await scan()).toMatchObject({ outcome: 'COPIED', attempt: 1 });
    expect(await scan()).toMatchObject({ outcome: 'COPIED', attempt: 1 });
    await Promise.all(
      [...consortium.services.receivers, ...consortium.services.workers].map((each) => each.stop()),
    );
    expect(await consortium.services.logs()).not.toContain(collector.url);
    expect(await loadedTelemetry(coverageDir)).toContain('@opentelemetry/sdk-trace-base');
  });
});

describe('without OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  test('nothing of OpenTelemetry is loaded', async () => {
    const coverageDir = await mkdtemp(join(tmpdir(), 'passport-coverage-'));
    const consortium = await startConsortium({
      libraries: threeLibraries,
      dashboards: 1,
      env: { NODE_V8_COVERAGE: coverageDir, OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    });
    try {
      const desk = consortium.at('riverside');
      const { eventId } = await desk.scan({
        cardnumber: registerPatron(consortium.doubles.midland),
        item_barcode: null,
      });
      expect(await desk.follow(eventId)).toMatchObject({ outcome: 'COPIED' });
    } finally {
      await consortium.stop();
    }
    expect(await readdir(coverageDir)).toHaveLength(3);
    expect([...(await loadedTelemetry(coverageDir))]).toEqual([]);
    await rm(coverageDir, { recursive: true });
  });
});
