import { type Capabilities, KohaError, type KohaClient, isEndedByUs } from '@passport/koha-client';
import { PAUSE_SIDES, type PauseSide } from '@passport/queue/processes';
import { type Circuit, type Passage, buildCircuit } from './circuit.ts';
import { type BackOff, buildBackOff } from './back-off.ts';
import { LibraryClosed } from './koha-failure.ts';
import { type PauseLeft, assertNotPaused } from './pauses.ts';
import { type Silence, buildSilence } from './silence.ts';

/**
 * How to reach each library, with its trouble kept its own: a cap in flight (in the client), a circuit, and a back-off
 * for as long as it requests (`retry-after`): meanwhile nothing is sent, whatever it is about, and its failure is repeated.
 */
export interface Libraries {
  /**
   * Runs `work` against a library's Koha, as home or (default) as lending library. Throws KohaError, LibraryClosed or
   * LibraryPaused.
   */
  call<T>(library: string, work: (koha: KohaClient) => Promise<T>, side?: PauseSide): Promise<T>;
  /**
   * The same for work beside the workflow, such as a report: its failures open a circuit of their own, so that a plugin in
   * trouble stops no copy; but as the probe of an open library it says whether that is back, since perhaps nobody else calls it.
   * A refusal counts as a failure there: a plugin that is missing is tried now and then, and not by each report.
   */
  callBeside<T>(library: string, work: (koha: KohaClient) => Promise<T>): Promise<T>;
  /** The same for a sweep over copies, with a circuit of its own; it leaves a library alone that is paused on either side. */
  callForSweep<T>(library: string, work: (koha: KohaClient) => Promise<T>): Promise<T>;
  /**
   * What a Koha's own description allows. It is nearly always remembered, so it says nothing about whether the library is
   * there; a failure to read it does. Throws KohaError or LibraryClosed.
   */
  capabilities(library: string): Promise<Capabilities>;
  /** Gets ready for calls to a library that is well: connection, and what its Koha allows. Returns at once. */
  prepare(library: string): void;
  /** How its circuit stands, and when the library last answered this process: in milliseconds, null when it never did. */
  circuit(library: string): CircuitSeen;
  /** The same for reports: the circuit that they go through now, and when the library last took one. */
  reportCircuit(library: string): CircuitSeen;
}

/** How a circuit stands. */
export interface CircuitSeen {
  readonly isOpen: boolean;
  /** Whether one call may try whether the library is back. */
  readonly isDue: boolean;
  readonly sinceSuccessMs: number | null;
}

/** What is watched of each call, for metrics, the dashboard and the log. */
export interface LibraryWatch {
  circuitChanged(library: string, isOpen: boolean): void;
  answered(library: string): void;
  failed(library: string, failure: Pick<KohaError, 'code' | 'causeCode'>): void;
  /** A library that answers otherwise has refused a report, or has taken one (null). */
  reported(library: string, failure: Pick<KohaError, 'code' | 'causeCode'> | null): void;
}

/** Failures that mean "the library is in trouble", not "this record or this set-up is". */
const TROUBLE: ReadonlySet<string> = new Set([
  'timeout',
  'unreachable',
  'reset',
  'http_5xx',
  'maintenance',
  'bad_answer',
  'redirect',
]);
/** Tried again at least so often: a desk gets its report within fifteen seconds of the return (report-worker.ts). */
const LONGEST_BACKGROUND_PAUSE_MS = 4_000;

type CalledClient = KohaClient & { readonly inFlight: number };

export function buildLibraries(
  clients: ReadonlyMap<string, CalledClient>,
  { monotonicNow, random }: Clock,
  watch: LibraryWatch,
  pauseLeft: PauseLeft = () => null,
): Libraries {
  const accesses = new Map(
    [...clients].map(
      ([library, koha]) => [library, buildAccess(library, koha, { monotonicNow, random }, watch)] as const,
    ),
  );
  const seen = ({ circuit, silence }: Breaker, lastSuccess: number | null): CircuitSeen => ({
    isOpen: circuit.isOpen || silence.isSuspicious,
    isDue: circuit.isDue && !silence.isSuspicious,
    sinceSuccessMs: lastSuccess === null ? null : monotonicNow() - lastSuccess,
  });
  const accessOf = (library: string): LibraryAccess => {
    const found = accesses.get(library);
    if (found === undefined) throw new Error(`no client for library ${library}`);
    return found;
  };

  const capabilities = async (library: string): Promise<Capabilities> => {
    const place = accessOf(library);
    return through(place, place.main, () => place.koha.capabilities(), { success: 'no news' });
  };

  return {
    async call(library, work, side = 'lending') {
      assertNotPaused(pauseLeft, library, [side]);
      const place = accessOf(library);
      const result = await through(place, place.main, () => work(place.koha));
      place.lastSuccess = monotonicNow();
      watch.answered(library);
      return result;
    },
    async callBeside(library, work) {
      const place = accessOf(library);
      const result = await throughRoute(place, () => work(place.koha), watch);
      place.background.circuit.succeeded();
      place.lastReport = monotonicNow();
      watch.reported(library, null);
      return result;
    },
    async callForSweep(library, work) {
      assertNotPaused(pauseLeft, library, PAUSE_SIDES);
      const place = accessOf(library);
      const breaker = place.main.circuit.isOpen ? place.main : place.sweep;
      const result = await through(place, breaker, () => work(place.koha), { record });
      place.sweep.circuit.succeeded();
      return result;
    },
    capabilities,
    prepare(library) {
      if (pauseLeft(library, 'lending') !== null) return;
      const { koha, main, backOff } = accessOf(library);
      if (!backOff.isOver || main.circuit.isOpen || main.silence.isSuspicious) return;
      koha.openConnection();
      // What fails is heard by back-off and circuit, and so met by the calls that follow.
      void capabilities(library).catch(() => undefined);
    },
    circuit(library) {
      const { main, lastSuccess } = accessOf(library);
      return seen(main, lastSuccess);
    },
    reportCircuit(library) {
      const { main, background, lastReport } = accessOf(library);
      return seen(main.circuit.isOpen ? main : background, lastReport);
    },
  };
}

/** What one kind of call goes through. */
interface Breaker {
  readonly circuit: Circuit;
  readonly silence: Silence;
}

interface LibraryAccess {
  readonly library: string;
  readonly koha: CalledClient;
  readonly main: Breaker;
  /** Of the work beside the workflow: a plugin that hangs says nothing of its library. */
  readonly background: Breaker;
  readonly sweep: Breaker;
  readonly backOff: BackOff;
  /** Hears of each failure of a scan's call, before the circuit does. */
  readonly failed: (error: KohaError) => void;
  lastSuccess: number | null;
  lastReport: number | null;
}

interface Clock {
  readonly monotonicNow: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

function buildAccess(
  library: string,
  koha: CalledClient,
  { monotonicNow, random }: Clock,
  watch: LibraryWatch,
): LibraryAccess {
  const changed = (isOpen: boolean): void => watch.circuitChanged(library, isOpen);
  const breaker = (onChange: (isOpen: boolean) => void, longestPauseMs?: number): Breaker => ({
    circuit: buildCircuit(monotonicNow, onChange, random, longestPauseMs),
    silence: buildSilence(monotonicNow, () => koha.inFlight),
  });
  return {
    library,
    koha,
    main: breaker(changed),
    background: breaker(() => undefined, LONGEST_BACKGROUND_PAUSE_MS),
    sweep: breaker(() => undefined),
    backOff: buildBackOff(monotonicNow),
    failed: (error) => watch.failed(library, error),
    lastSuccess: null,
    lastReport: null,
  };
}

/** Does the work unless the library is backed off or its circuit is open, and reports to both how it went. */
async function through<T>(
  { library, backOff, failed }: LibraryAccess,
  { circuit, silence }: Breaker,
  work: () => Promise<T>,
  how: { readonly success?: 'no news'; readonly record?: typeof record } = {},
): Promise<T> {
  backOff.assertOver();
  if (silence.isSuspicious) throw new LibraryClosed(library);
  const passage = circuit.enter();
  if (passage === 'refuse') throw new LibraryClosed(library);
  const over = silence.begin();
  try {
    const result = await work();
    over(how.success === 'no news' ? 'no news' : 'answered');
    if (how.success === 'no news') circuit.abandoned(passage);
    else circuit.succeeded();
    return result;
  } catch (error) {
    over(howItEnded(error));
    if (how.record === undefined && error instanceof KohaError) failed(error);
    (how.record ?? record)(circuit, passage, error);
    backOff.hear(error);
    throw error;
  }
}

/** The same for work beside the workflow. Once its circuit is open, a library that is away is nothing that a route refuses. */
function throughRoute<T>(place: LibraryAccess, work: () => Promise<T>, watch: LibraryWatch): Promise<T> {
  if (place.main.circuit.isOpen) return through(place, place.main, work);
  const recordRoute = (circuit: Circuit, passage: Passage, error: unknown): void => {
    recordBackground(circuit, passage, error);
    if (isTroubleOfRoute(error)) watch.reported(place.library, error);
  };
  return through(place, place.background, work, { record: recordRoute });
}

function howItEnded(error: unknown): 'answered' | 'silent' | 'no news' {
  if (!(error instanceof KohaError) || isEndedByUs(error)) return 'no news';
  return error.code === 'timeout' ? 'silent' : 'answered';
}

/** A library that answers, if only to refuse, is there. What was never sent, or is about one record, is no news of it. */
function record(circuit: Circuit, passage: Passage, error: unknown): void {
  if (!(error instanceof KohaError) || isNoNews(error)) circuit.abandoned(passage);
  else if (TROUBLE.has(error.code)) circuit.failed(passage);
  else circuit.succeeded();
}

/** A route beside the workflow that answers anything but success is in trouble; its library may be well. */
function recordBackground(circuit: Circuit, passage: Passage, error: unknown): void {
  if (isTroubleOfRoute(error)) circuit.failed(passage);
  else circuit.abandoned(passage);
}

const isTroubleOfRoute = (error: unknown): error is KohaError =>
  error instanceof KohaError && !isEndedByUs(error) && error.code !== 'rate_limited';

function isNoNews(error: KohaError): boolean {
  const wasRefusedHere = error.code === 'permission' && error.status === null;
  return isEndedByUs(error) || wasRefusedHere || error.isFromKoha;
}
