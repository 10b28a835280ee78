import { STATUS_CODES } from 'node:http';
import {
  FEW_SECONDS_BUCKETS,
  type MetricsRegistry,
  SECONDS_BUCKETS,
  areInDetail,
  createCounter,
  createGauge,
  createHistogram,
  sharedRead,
} from '@passport/runtime';

export type KohaMetrics = ReturnType<typeof kohaMetrics>;

/** A call that was answered, or failed: `status` may be the code of the failure. */
interface KohaRequest {
  readonly library: string;
  readonly operation: string;
  readonly status: string;
  readonly seconds: number;
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

const READ_MS = 1_500;

/** Koha's description of itself: half a megabyte that is read once an hour, so that it takes long says nothing. */
const DESCRIPTION = 'GET /';

/** What the worker counts of its calls to each of so many Kohas, of its circuit and of the calls in flight. */
export function kohaMetrics(registry: MetricsRegistry, libraries: number) {
  const isDetailed = areInDetail(libraries);
  const count = callCounts(registry, isDetailed);
  const observe = callDurations(registry, isDetailed);
  const open = new Map<string, boolean>();
  createGauge(
    registry,
    {
      name: 'passport_library_open',
      help: '1 if the circuit of a library is open, else 0',
      labels: ['library'],
    },
    () =>
      [...open].flatMap(([library, isOpen]) =>
        isOpen || isDetailed ? [[{ library }, isOpen ? 1 : 0] as const] : [],
      ),
  );
  return {
    request({ library, operation, status, seconds }: KohaRequest): void {
      count(library, operation, fold(status));
      observe(library, operation, seconds);
    },
    circuitOpen: (library: string, isOpen: boolean): void => void open.set(library, isOpen),
    /** Its reader is called at each scrape. */
    calls: callGauges(registry, isDetailed),
  };
}

/** The gauges of the calls in flight, from one look at all libraries. */
function callGauges(
  registry: MetricsRegistry,
  isDetailed: boolean,
): (library: string, read: () => CallLoad) => void {
  const loads = new Map<string, () => CallLoad>();
  const isShown = ({ inFlight, waiting }: CallLoad): boolean => isDetailed || inFlight + waiting > 0;
  const look = () => Array.from(loads, ([library, read]) => [library, read()] as const);
  const readShown = () => Promise.resolve(look().filter(([, load]) => isShown(load)));
  const readOnce = sharedRead(READ_MS, readShown, 'reading calls');
  for (const [name, help, key] of CALL_GAUGES) {
    createGauge(registry, { name, help, labels: ['library'] }, async () =>
      ((await readOnce()) ?? []).map(([library, load]) => [{ library }, load[key]]),
    );
  }
  return (library, read) => void loads.set(library, read);
}

/**
 * `passport_koha_requests_total`. Of many libraries, a call that went well is counted once for its library and once for its operation; of one that did not,
 * an alert names both.
 */
function callCounts(
  registry: MetricsRegistry,
  isDetailed: boolean,
): (library: string, operation: string, status: string) => void {
  const count = createCounter(registry, {
    name: 'passport_koha_requests_total',
    help: 'Calls to Koha, by library, operation and status (or code of the failure)',
    labels: ['library', 'operation', 'status'],
  });
  return (library, operation, status) => {
    if (isDetailed || !/^2..$/.test(status)) return count({ library, operation, status });
    count({ library, operation: '', status });
    count({ library: '', operation, status });
  };
}

/**
 * `passport_koha_request_seconds`. Of many libraries, a call is observed once for its library (unless it reads a
 * description) and once for its operation, instead of for both together: hundreds of thousands of buckets otherwise.
 */
function callDurations(
  registry: MetricsRegistry,
  isDetailed: boolean,
): (library: string, operation: string, seconds: number) => void {
  const observe = createHistogram(
    registry,
    {
      name: 'passport_koha_request_seconds',
      help: 'How long Koha took to answer, by library and operation',
      labels: ['library', 'operation'],
    },
    ({ library }) => (isDetailed || library === '' ? SECONDS_BUCKETS : FEW_SECONDS_BUCKETS),
  );
  if (isDetailed) return (library, operation, seconds) => observe({ library, operation }, seconds);
  return (library, operation, seconds) => {
    observe({ library: '', operation }, seconds);
    if (operation !== DESCRIPTION) observe({ library, operation: '' }, seconds);
  };
}

/** A Koha may answer what it likes, and each value is a series: of an unknown status only the class is kept. */
function fold(status: string): string {
  return /^\d+$/.test(status) && STATUS_CODES[status] === undefined ? `${status.charAt(0)}xx` : status;
}
