import type { Libraries } from '../koha/libraries.ts';

/** How a step reaches the outside. */
export interface StepDeps {
  readonly libraries: Libraries;
  readonly signal: AbortSignal;
  /** Throws when this process may no longer write for the job. */
  readonly assertHeld: () => void;
  readonly pause: (ms: number) => Promise<void>;
  readonly monotonicNow: () => number;
}

/** Does one step of the workflow, measured and traced. */
export type InStep = <T>(name: 'locate' | 'copy' | 'checkout', work: () => Promise<T>) => Promise<T>;
