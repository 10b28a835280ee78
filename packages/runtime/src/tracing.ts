import type { Logger } from './logger.ts';
import type { SetSpanFacts, Tracing } from './span.ts';

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
 * nothing of OpenTelemetry is loaded (docs/decisions/0012-tracing.md). A collector that is away costs the traces and nothing else.
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
