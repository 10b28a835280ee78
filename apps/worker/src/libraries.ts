import { KohaError, type KohaClient } from '@passport/koha-client';
import { type Circuit, buildCircuit } from './circuit.ts';

/** A library is not asked: its circuit is open. */
export class LibraryClosed extends Error {
  override readonly name = 'LibraryClosed';
  readonly code = 'circuit_open';
  readonly library: string;

  constructor(library: string) {
    super(`${library}: circuit open`);
    this.library = library;
  }
}

/** How to reach each library, with its trouble kept its own: a cap in flight (in the client) and a circuit. */
export interface Libraries {
  /** Makes one piece of work with a library's Koha. Throws KohaError or LibraryClosed. */
  call<T>(library: string, work: (koha: KohaClient) => Promise<T>): Promise<T>;
  /** The same for work that says nothing about patrons and loans: an open circuit refuses it, its end changes nothing. */
  callBeside<T>(library: string, work: (koha: KohaClient) => Promise<T>): Promise<T>;
  circuit(library: string): Pick<Circuit, 'isOpen' | 'isDue'>;
  /** Milliseconds since the library last answered this process; null when it never did. */
  sinceSuccessMs(library: string): number | null;
}

/** What is watched of each call, for metrics, the dashboard and the log. */
export interface LibraryWatch {
  circuitChanged(library: string, isOpen: boolean): void;
  answered(library: string, ms: number): void;
  failed(library: string, code: string): void;
}

/** Failures that mean "the library is in trouble", not "this record or this set-up is". */
const TROUBLE: ReadonlySet<string> = new Set([
  'timeout',
  'unreachable',
  'reset',
  'http_5xx',
  'maintenance',
  'bad_answer',
]);
/** Failures that say nothing about it: the call was not sent, or we hung up. */
const NO_NEWS: ReadonlySet<string> = new Set(['busy', 'aborted']);

export function buildLibraries(
  clients: ReadonlyMap<string, KohaClient>,
  monotonicNow: () => number,
  watch: LibraryWatch,
): Libraries {
  const rooms = new Map(
    [...clients].map(([library, koha]) => [
      library,
      {
        koha,
        circuit: buildCircuit(monotonicNow, (isOpen) => watch.circuitChanged(library, isOpen)),
        lastSuccess: null as number | null,
      },
    ]),
  );
  const room = (library: string) => {
    const found = rooms.get(library);
    if (found === undefined) throw new Error(`no client for library ${library}`);
    return found;
  };

  return {
    async call(library, work) {
      const place = room(library);
      if (place.circuit.enter() === 'refuse') throw new LibraryClosed(library);
      const startedAt = monotonicNow();
      try {
        const result = await work(place.koha);
        place.lastSuccess = monotonicNow();
        place.circuit.succeeded();
        watch.answered(library, place.lastSuccess - startedAt);
        return result;
      } catch (error) {
        judge(place.circuit, error);
        if (error instanceof KohaError) watch.failed(library, error.code);
        throw error;
      }
    },
    async callBeside(library, work) {
      const place = room(library);
      if (place.circuit.isOpen) throw new LibraryClosed(library);
      return work(place.koha);
    },
    circuit: (library) => room(library).circuit,
    sinceSuccessMs: (library) => {
      const { lastSuccess } = room(library);
      return lastSuccess === null ? null : monotonicNow() - lastSuccess;
    },
  };
}

/** A library that answers, if only to refuse, is there. */
function judge(circuit: Circuit, error: unknown): void {
  if (!(error instanceof KohaError) || NO_NEWS.has(error.code)) circuit.abandoned();
  else if (TROUBLE.has(error.code)) circuit.failed();
  else circuit.succeeded();
}
