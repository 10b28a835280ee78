import type { Logger } from './logger.ts';

/** All that may stand beside a span: ids and codes. There is no key for anything about a person. */
export interface SpanFacts {
  readonly library?: string;
  readonly event?: string;
  /** Method and path template of a Koha route. */
  readonly operation?: string;
  /** Of an answer; or the code of the failure where there was none. */
  readonly status?: number | string;
  readonly outcome?: string;
}

/** How a piece of work enters the trace. */
export interface SpanStart {
  readonly name: string;
  /** `server` takes a request, `consumer` a job, `internal` is a step of either. */
  readonly kind: 'server' | 'consumer' | 'internal';
  /** W3C trace context to go on from; without it the span is a child of the present one, or begins a trace. */
  readonly parent?: string | undefined;
  readonly facts?: SpanFacts;
}

/** Adds what is known of a piece of work only at its end. */
export type SetSpanFacts = (facts: SpanFacts) => void;

/** Traces of this process, or nothing at all. */
export interface Tracing {
  /** Does `work` in a span; what it calls is below it. `start` is only called when there are traces. */
  within<T>(start: () => SpanStart, work: (setFacts: SetSpanFacts) => Promise<T>): Promise<T>;
  /** A call that has just ended after `ms`, below the present span; outside of any it is left out. */
  called(call: { readonly facts: SpanFacts & { readonly operation: string }; readonly ms: number }): void;
  /** W3C trace context of the present span, for whoever goes on with it. */
  traceparent(): string | undefined;
  /** Sends what is left, for two seconds at most. Never throws. */
  close(): Promise<void>;
}

const ignoreFacts: SetSpanFacts = () => undefined;

/** No traces. */
export const NO_TRACING: Tracing = {
  within: (_start, work) => work(ignoreFacts),
  called: () => undefined,
  traceparent: () => undefined,
  close: () => Promise.resolve(),
};

/**
 * Starts traces to an OpenTelemetry collector (OTLP over HTTP, `OTEL_EXPORTER_OTLP_ENDPOINT`). Without an `endpoint`
 * nothing of OpenTelemetry is loaded (docs/decisions/0020). A collector that is away costs the traces and nothing else.
 */
export async function startTracing(options: {
  readonly endpoint: string | null;
  readonly process: string;
  /** Milliseconds since 1970 by the clock that `Date.now()` of this process has, too. */
  readonly now: () => number;
  readonly log: Logger;
}): Promise<Tracing> {
  const { endpoint } = options;
  if (endpoint === null) return NO_TRACING;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry({ ...options, endpoint });
}
