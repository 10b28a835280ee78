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
