import { STATUS_CODES } from 'node:http';
import { type MetricsRegistry, createCounter, createGauge, createHistogram } from '@passport/runtime';

/** What the worker counts of its calls to each Koha. */
export interface KohaMetrics {
  request(call: { library: string; operation: string; status: string; seconds: number }): void;
  circuitOpen(library: string, isOpen: boolean): void;
  /** `read` is called at each scrape. */
  calls(library: string, read: () => CallLoad): void;
}

/** The calls to one library: in progress, waiting for a place, and how many may be in progress. */
export interface CallLoad {
  readonly inFlight: number;
  readonly waiting: number;
  readonly limit: number;
}

const CALL_GAUGES = [
  ['passport_library_in_flight', 'Calls to a library in progress', 'inFlight'],
  ['passport_library_waiting', 'Calls to a library that wait for others of this worker', 'waiting'],
  ['passport_library_call_limit', 'Calls to a library that may be in progress at once', 'limit'],
] as const;

/** The metrics of the calls to each Koha, of its circuit and of the calls in flight. */
export function kohaMetrics(registry: MetricsRegistry): KohaMetrics {
  const requests = createCounter(registry, {
    name: 'passport_koha_requests_total',
    help: 'Calls to Koha, by library, operation and status (or code of the failure)',
    labels: ['library', 'operation', 'status'],
  });
  const durations = createHistogram(registry, {
    name: 'passport_koha_request_seconds',
    help: 'How long Koha took to answer, by library and operation',
    labels: ['library', 'operation'],
  });
  const open = new Map<string, boolean>();
  createGauge(
    registry,
    {
      name: 'passport_library_open',
      help: '1 if the circuit of a library is open, else 0',
      labels: ['library'],
    },
    () => [...open].map(([library, isOpen]) => [{ library }, isOpen ? 1 : 0]),
  );
  const loads = new Map<string, () => CallLoad>();
  for (const [name, help, key] of CALL_GAUGES) {
    createGauge(registry, { name, help, labels: ['library'] }, () =>
      [...loads].map(([library, read]) => [{ library }, read()[key]]),
    );
  }
  return {
    request({ library, operation, status, seconds }) {
      requests({ library, operation, status: fold(status) });
      durations({ library, operation }, seconds);
    },
    circuitOpen: (library, isOpen) => void open.set(library, isOpen),
    calls: (library, read) => void loads.set(library, read),
  };
}

/** A Koha may answer what it likes, and each value is a series: of an unknown status only the class is kept. */
function fold(status: string): string {
  return /^\d+$/.test(status) && STATUS_CODES[status] === undefined ? `${status.charAt(0)}xx` : status;
}
