import { isRecord } from '../record.ts';

const kinds = ['status', 'delay', 'hang', 'reset_before', 'reset_after', 'truncate', 'html'] as const;

/**
 * What goes wrong with the next `times` calls of an operation. `after` lets the effect happen before a `status`
 * or `html` answer, or before no answer at all (`hang`); `cut` ends a truncated answer with the connection instead of a fitting length.
 */
export interface Fault {
  /** Method and path template as in Koha's description, such as `POST /patrons`, or `*`. */
  readonly operation: string;
  readonly kind: (typeof kinds)[number];
  readonly times: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of a `delay`. */
  readonly ms: number;
  readonly after: boolean;
  readonly cut: boolean;
}

/** A fault as it is requested: all but operation and kind have defaults. */
export type FaultDraft = Pick<Fault, 'operation' | 'kind'> & Partial<Fault>;

/** Faults waiting for their calls; the first that fits a call is used, and gone after its last time. */
export class FaultQueue {
  #faults: Fault[] = [];

  add(drafts: readonly FaultDraft[]): void {
    this.#faults.push(...drafts.map(completeFault));
  }

  take(operation: string): Fault | undefined {
    const index = this.#faults.findIndex((fault) => fault.operation === '*' || fault.operation === operation);
    const fault = this.#faults[index];
    if (fault === undefined) return undefined;
    if (fault.times > 1) this.#faults[index] = { ...fault, times: fault.times - 1 };
    else this.#faults.splice(index, 1);
    return fault;
  }

  left(): readonly Fault[] {
    return [...this.#faults];
  }

  clear(): void {
    this.#faults = [];
  }
}

function completeFault(draft: FaultDraft): Fault {
  const status = draft.kind === 'html' ? 200 : 500;
  return { times: 1, status, headers: {}, ms: 1000, after: false, cut: false, ...draft };
}

/** Parses what came over the wire; the text says what is wrong with it. */
export function parseFaults(body: unknown): readonly FaultDraft[] | string {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  return list.every(isFaultDraft)
    ? list
    : `each fault needs an operation such as "POST /patrons" or "*", and a kind: ${kinds.join(', ')}`;
}

function isFaultDraft(value: unknown): value is FaultDraft {
  return (
    isRecord(value) &&
    typeof value['operation'] === 'string' &&
    (value['operation'] === '*' || /^[A-Z]+ \//.test(value['operation'])) &&
    kinds.some((kind) => kind === value['kind']) &&
    ['times', 'status', 'ms'].every((name) => value[name] === undefined || Number.isInteger(value[name])) &&
    (value['headers'] === undefined || isRecord(value['headers']))
  );
}
