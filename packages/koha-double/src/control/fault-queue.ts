import { isRecord } from '../record.ts';

interface Common {
  /** Method and path template as in Koha's description, such as `POST /patrons`, or `*`. */
  readonly operation: string;
  readonly times: number;
}

/**
 * What goes wrong with the next `times` calls of an operation. `after` lets the effect happen before a `status`
 * or `html` answer, or before no answer at all (`hang`); `cut` ends a truncated answer with the connection instead of a fitting length.
 */
export type Fault = Common &
  (
    | {
        readonly kind: 'status';
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: unknown;
        readonly after: boolean;
      }
    | { readonly kind: 'delay'; readonly ms: number }
    | { readonly kind: 'hang'; readonly after: boolean }
    | { readonly kind: 'reset_before' }
    | { readonly kind: 'reset_after' }
    | { readonly kind: 'truncate'; readonly cut: boolean }
    | { readonly kind: 'html'; readonly status: number; readonly after: boolean }
  );

export type FaultKind = Fault['kind'];

/** A fault as it is requested: all but operation and kind have defaults. */
export interface FaultDraft {
  readonly operation: string;
  readonly kind: FaultKind;
  readonly times?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly ms?: number;
  readonly after?: boolean;
  readonly cut?: boolean;
}

/** Faults waiting for their calls; the first that fits a call is used, and gone after its last time. */
export class FaultQueue {
  #faults: Fault[] = [];

  add(drafts: readonly FaultDraft[]): void {
    this.#faults.push(...drafts.map(completeFault));
  }

  take(operation: string): Fault | undefined {
    if (this.#faults.length === 0) return undefined;
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

const kinds = ['status', 'delay', 'hang', 'reset_before', 'reset_after', 'truncate', 'html'] as const;

/** Parses what came over the wire; the text says what is wrong with it. */
export function parseFaults(body: unknown): readonly FaultDraft[] | string {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  const faults: FaultDraft[] = [];
  for (const entry of list) {
    if (!isFaultDraft(entry)) {
      return `each fault needs an operation such as "POST /patrons" or "*", and a kind: ${kinds.join(', ')}`;
    }
    faults.push(entry);
  }
  return faults;
}

function isFaultDraft(value: unknown): value is FaultDraft {
  return (
    isRecord(value) &&
    typeof value['operation'] === 'string' &&
    (value['operation'] === '*' || /^[A-Z]+ \//.test(value['operation'])) &&
    kinds.some((kind) => kind === value['kind']) &&
    (['times', 'status', 'ms'] as const).every(
      (name) => value[name] === undefined || Number.isInteger(value[name]),
    ) &&
    (value['headers'] === undefined || isRecord(value['headers']))
  );
}

function completeFault(draft: FaultDraft): Fault {
  const common = { operation: draft.operation, times: draft.times ?? 1 };
  switch (draft.kind) {
    case 'status':
      return {
        ...common,
        kind: 'status',
        status: draft.status ?? 500,
        headers: draft.headers ?? {},
        body: draft.body,
        after: draft.after ?? false,
      };
    case 'delay':
      return { ...common, kind: 'delay', ms: draft.ms ?? 1000 };
    case 'truncate':
      return { ...common, kind: 'truncate', cut: draft.cut ?? false };
    case 'html':
      return { ...common, kind: 'html', status: draft.status ?? 200, after: draft.after ?? false };
    case 'hang':
      return { ...common, kind: 'hang', after: draft.after ?? false };
    case 'reset_before':
    case 'reset_after':
      return { ...common, kind: draft.kind };
    default:
      return draft.kind satisfies never;
  }
}
