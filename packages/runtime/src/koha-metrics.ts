import { STATUS_CODES } from 'node:http';
import { Counter, Gauge, Histogram } from 'prom-client';
import { type MetricsRegistry, SECONDS } from './metrics.ts';

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
  const open = new Gauge({
    name: 'passport_library_open',
    help: '1 if the circuit of a library is open, else 0',
    labelNames: ['library'],
    registers,
  });
  const inFlight = new Map<string, () => number>();
  new Gauge({
    name: 'passport_library_in_flight',
    help: 'Calls to a library in progress',
    labelNames: ['library'],
    registers,
    collect() {
      for (const [library, calls] of inFlight) this.set({ library }, calls());
    },
  });
  return {
    request(call: { library: string; operation: string; status: string; seconds: number }) {
      const { library, operation, status, seconds } = call;
      requests.inc({ library, operation, status: fold(status) });
      durations.observe({ library, operation }, seconds);
    },
    circuitOpen: (library: string, isOpen: boolean) => open.set({ library }, isOpen ? 1 : 0),
    /** `calls` is called at each scrape. */
    inFlight: (library: string, calls: () => number) => void inFlight.set(library, calls),
  };
}

/** A Koha may answer what it likes, and each value is a series: of an unknown status only the class is kept. */
function fold(status: string): string {
  return /^\d+$/.test(status) && STATUS_CODES[status] === undefined ? `${status.charAt(0)}xx` : status;
}
