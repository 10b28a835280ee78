import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Where a process keeps its metrics; `registry.metrics()` is the text for `/metrics`. */
export type MetricsRegistry = Registry;

/** A desk waits a second or two, Koha's deadlines are seconds, a scan is worth following for a minute. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];

/** A registry, with Node's own metrics (memory, event loop) unless told otherwise. Names: contract.md section 7. */
export function createMetrics(options: { processMetrics?: boolean } = {}): MetricsRegistry {
  const registry = new Registry();
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  return registry;
}

/** `passport_events_total`: what became of each delivery at the receiver. */
export function eventMetrics(registry: MetricsRegistry) {
  const events = new Counter({
    name: 'passport_events_total',
    help: 'Deliveries at the receiver, by library and result',
    labelNames: ['library', 'result'],
    registers: [registry],
  });
  return { received: (library: string, result: string) => events.inc({ library, result }) };
}

/** `passport_jobs_total`, `passport_scan_to_copy_seconds` and `passport_step_seconds` of the worker. */
export function jobMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const jobs = new Counter({
    name: 'passport_jobs_total',
    help: 'Jobs that ended, by lending library and outcome',
    labelNames: ['library', 'outcome'],
    registers,
  });
  const scanToCopy = new Histogram({
    name: 'passport_scan_to_copy_seconds',
    help: 'From the scan of the card to the copy in the lending library',
    labelNames: ['library'],
    buckets: SECONDS,
    registers,
  });
  const steps = new Histogram({
    name: 'passport_step_seconds',
    help: 'How long each step of a job took',
    labelNames: ['step'],
    buckets: SECONDS,
    registers,
  });
  const limits = new Counter({
    name: 'passport_limit_reached_total',
    help: 'Times that a job had to wait because its library had used up its hour (copies or misses)',
    labelNames: ['library', 'limit'],
    registers,
  });
  return {
    limitReached: (library: string, limit: 'copies' | 'misses') => limits.inc({ library, limit }),
    ended: (library: string, outcome: string) => jobs.inc({ library, outcome }),
    copied: (library: string, seconds: number) => scanToCopy.observe({ library }, seconds),
    step: (step: string, seconds: number) => steps.observe({ step }, seconds),
  };
}

/** The metrics of the calls to each Koha, of its circuit and of the calls in flight. */
export function kohaMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'passport_koha_requests_total',
    help: 'Calls to Koha, by library, operation and status (or code of the failure)',
    labelNames: ['library', 'operation', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'passport_koha_request_seconds',
    help: 'How long Koha took to answer, by library and operation',
    labelNames: ['library', 'operation'],
    buckets: SECONDS,
    registers,
  });
  const open = gauge('passport_library_open', 'Whether the circuit of a library is open (1)', registry);
  const inFlight = gauge('passport_library_in_flight', 'Calls to a library under way', registry);
  return {
    request(call: { library: string; operation: string; status: string; seconds: number }) {
      const { library, operation, status, seconds } = call;
      requests.inc({ library, operation, status });
      durations.observe({ library, operation }, seconds);
    },
    circuitOpen: (library: string, isOpen: boolean) => open.set({ library }, isOpen ? 1 : 0),
    inFlight: (library: string, calls: number) => inFlight.set({ library }, calls),
  };
}

function gauge(name: string, help: string, registry: MetricsRegistry): Gauge<'library'> {
  return new Gauge({ name, help, labelNames: ['library'], registers: [registry] });
}
