import type { EventState } from '@passport/contract';
import { type Consortium, type LibraryPlan, startConsortium } from '../harness/start-consortium.ts';
import type { Trouble } from './faults.ts';
import { type Cell, prepareCell, wrongsOf } from './lane.ts';
import { printTable } from './print-table.ts';
import { type WorkflowCall, nameOf } from './workflow-calls.ts';

/** One cell after its end. */
export interface CellEnd {
  readonly cell: Cell;
  readonly state: EventState;
  /** Empty when all is right. */
  readonly wrongs: readonly string[];
  readonly ms: number;
}

export interface Matrix {
  readonly cells: readonly Cell[];
  readonly consortium: Consortium<string>;
  stop(): Promise<void>;
}

/**
 * Starts one consortium in which every cell has two libraries of its own, with an agreement between just these, and one
 * worker for all of them. `timeout` is how long a Koha may take to answer.
 */
export async function startMatrix(
  plan: readonly (readonly [WorkflowCall, Trouble])[],
  timeout: string,
): Promise<Matrix> {
  const libraries: Record<string, LibraryPlan> = {};
  const agreements = plan.map((_, n) => {
    libraries[`home-${n}`] = { reports: false };
    libraries[`lending-${n}`] = {};
    return { home: `home-${n}`, lending: `lending-${n}` };
  });
  const defaults = {
    koha: { timeout },
    retry: { checkout_within: '45s', give_up_after: '60s', confirm: ['RENTALCHARGE'] },
  };
  const env = { WORKER_CONCURRENCY: '200' };
  const consortium = await startConsortium<string>({ libraries, keys: { agreements, defaults }, env });
  const cells = plan.map(([call, trouble], n) => {
    const [home, lending] = [consortium.doubles[`home-${n}`], consortium.doubles[`lending-${n}`]];
    if (home === undefined || lending === undefined) throw new Error(`no libraries for cell ${n}`);
    return prepareCell(call, trouble, { home, lending, receiver: consortium.at(`lending-${n}`) });
  });
  return { cells, consortium, stop: () => consortium.stop() };
}

/** Follows the event of a cell to its end, and until the desk knows of it. */
export async function endCell(cell: Cell, eventId: string, timeoutMs: number): Promise<CellEnd> {
  const startedAt = performance.now();
  const { lending, receiver } = cell.lane;
  const state = await receiver.follow(eventId, {
    timeoutMs,
    until: ({ state: now, seq }) =>
      (now === 'done' || now === 'failed') &&
      lending.state().outcomes.some((report) => report.event_id === eventId && report.seq === seq),
  });
  return { cell, state, wrongs: wrongsOf(cell, state), ms: performance.now() - startedAt };
}

/** The matrix as a table: how each cell ended and how long it took. */
export function printMatrix(ends: readonly CellEnd[], columns: readonly Trouble[]): string {
  const calls = [...new Set(ends.map(({ cell }) => cell.call))];
  const head = ['call', ...columns.map(({ name }) => name)];
  const rows = calls.map((call) => [
    nameOf(call),
    ...columns.map((column) => {
      const end = ends.find(({ cell }) => cell.call === call && cell.trouble === column);
      if (end === undefined) return '';
      const seconds = `${(end.ms / 1_000).toFixed(1)} s`;
      return end.wrongs.length === 0 ? `${end.state.outcome} ${seconds}` : `WRONG: ${end.wrongs.join('; ')}`;
    }),
  ]);
  return printTable([head, ...rows]);
}
