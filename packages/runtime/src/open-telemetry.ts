import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { within } from './deadline.ts';
import type { Logger } from './logger.ts';
import type { SpanFacts, SpanStart, Tracing } from './span.ts';

const EXPORT_MS = 5_000;
const CLOSE_MS = 2_000;
/** One line per outage of the collector, not one per batch. */
const COMPLAIN_EVERY_MS = 60_000;

const KINDS: Readonly<Record<SpanStart['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

/**
 * Traces over OpenTelemetry's SDK, without its globals: nothing else in the process is traced, and no library's spans get
 * in. Headers, sampler and resource attributes come from OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_HEADERS`,
 * `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`), which the SDK reads.
 */
export function openTelemetry(options: {
  readonly endpoint: string;
  readonly process: string;
  readonly now: () => number;
  readonly log: Logger;
}): Tracing {
  const { now } = options;
  const complain = buildComplaint(options.log);
  setGlobalErrorHandler(complain);
  const provider = buildProvider(options);
  const tracer = provider.getTracer('patron-passport');
  const contexts = new AsyncLocalStorageContextManager().enable();

  return {
    async within(start, work) {
      const { name, kind, parent, facts = {} } = start();
      const above = parent === undefined ? contexts.active() : contextOf(parent);
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: attributesOf(facts) }, above);
      try {
        return await contexts.with(trace.setSpan(above, span), () =>
          work((more) => void span.setAttributes(attributesOf(more))),
        );
      } catch (error) {
        // The code alone: messages and stacks are for the log, which knows what to leave out.
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },
    called({ facts, ms }) {
      const above = contexts.active();
      if (trace.getSpan(above) === undefined) return;
      const endTime = now();
      const span = tracer.startSpan(
        facts.operation,
        { kind: SpanKind.CLIENT, attributes: attributesOf(facts), startTime: endTime - ms },
        above,
      );
      if (hasFailed(facts.status)) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endTime);
    },
    traceparent() {
      const span = trace.getSpan(contexts.active());
      return span === undefined ? undefined : traceparentOf(span);
    },
    async close() {
      await within(CLOSE_MS, provider.shutdown(), 'sending traces').catch(complain);
      contexts.disable();
    },
  };
}

/** What an exporter throws holds the collector's address, credentials included: none of it is logged. */
function buildComplaint(log: Logger): () => void {
  let complainedAt = -Infinity;
  return () => {
    if (performance.now() - complainedAt < COMPLAIN_EVERY_MS) return;
    complainedAt = performance.now();
    log.warn({ traces: 'lost' }, 'the OpenTelemetry collector does not take traces');
  };
}

function buildProvider({
  endpoint,
  process,
}: {
  readonly endpoint: string;
  readonly process: string;
}): BasicTracerProvider {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_MS,
  });
  const own = resourceFromAttributes({ 'service.name': `patron-passport-${process}` });
  return new BasicTracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
}

/** A parent that cannot be read is none: the span begins a trace. */
function contextOf(traceparent: string): Context {
  const parent = parseTraceParent(traceparent);
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags.toString(16)}`;
}

function attributesOf(facts: SpanFacts): Record<string, string | number> {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([key, value]) => [`passport.${key}`, value as string | number]));
}

/** No answer, or one that means trouble; 404 and the like are answers. */
function hasFailed(status: SpanFacts['status']): boolean {
  return typeof status === 'string' || (status !== undefined && status >= 500);
}
