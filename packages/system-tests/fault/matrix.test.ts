import { afterAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { DEATHS, RETRY_AFTER_S, TROUBLES, type Trouble } from './faults.ts';
import { type Cell, hasMetTrouble, scan } from './lane.ts';
import { type CellEnd, type Matrix, endCell, printMatrix, startMatrix } from './matrix.ts';
import { WORKFLOW_CALLS, type WorkflowCall, nameOf } from './workflow-calls.ts';

const matrices: Matrix[] = [];
afterAll(async () => {
  for (const matrix of matrices) await matrix.stop();
});

const isFull = process.env['PASSPORT_MATRIX'] === 'full';
if (!isFull) process.stderr.write('The short matrix: a third of it. PASSPORT_MATRIX=full for all of it.\n');

/** Every call with every trouble; in the short form every call with every `step`th, and every trouble with some calls. */
const plan = (troubles: readonly Trouble[], step: number): (readonly [WorkflowCall, Trouble])[] =>
  WORKFLOW_CALLS.flatMap((call, row) =>
    troubles.filter((_, column) => (row + column) % step === 0).map((trouble) => [call, trouble] as const),
  );

async function start(troubles: readonly Trouble[], step: number, timeout: string): Promise<Matrix> {
  const matrix = await startMatrix(plan(troubles, step), timeout);
  matrices.push(matrix);
  return matrix;
}

function report(ends: readonly CellEnd[], columns: readonly Trouble[]): void {
  process.stderr.write(`\n${printMatrix(ends, columns)}\n`);
  const wrong = ends.filter(({ wrongs }) => wrongs.length > 0);
  expect(
    wrong.map(({ cell, state, wrongs }) => [nameOf(cell.call), cell.trouble.name, wrongs, state]),
  ).toEqual([]);
}

describe('T-14 T-16 T-35 every Koha call of the workflow', () => {
  test('each fault once: one marked copy, one checkout, one report, or a named failure', async () => {
    const { cells } = await start(TROUBLES, isFull ? 1 : 3, '1500ms');
    const ends = await Promise.all(cells.map(async (cell) => endCell(cell, await scan(cell), 50_000)));

    report(ends, TROUBLES);
    const limited = ends.filter(({ cell }) => cell.trouble.name === '429');
    const impatient = limited.filter(({ cell }) => patienceMs(cell) < RETRY_AFTER_S * 1_000 - 50);
    expect(impatient.map(({ cell }) => [nameOf(cell.call), patienceMs(cell)])).toEqual([]);
  }, 120_000);

  test('the worker is killed right before it and right after it: the next one goes on', async () => {
    const { cells, consortium } = await start(DEATHS, 1, '20s');
    const isReport = ({ call }: Cell): boolean => call.operation.startsWith('PUT /contrib');
    const held = async (some: readonly Cell[]) => {
      const events = await Promise.all(some.map(async (cell) => ({ cell, eventId: await scan(cell) })));
      await waitFor('every call to be under way', () => some.every(hasMetTrouble), { timeoutMs: 20_000 });
      return events;
    };
    // A report that is not taken within a second is given up for now: its worker must be killed at once.
    const waiting = await held(cells.filter((cell) => !isReport(cell)));
    const reports = await held(cells.filter(isReport));
    const [worker] = consortium.services.workers;
    await worker?.kill('SIGKILL');
    await worker?.restart();

    const all = [...waiting, ...reports];
    const ends = await Promise.all(all.map(({ cell, eventId }) => endCell(cell, eventId, 40_000)));
    report(ends, DEATHS);
    expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThan(20_000);
  }, 120_000);
});

/** How long after its 429 a Koha was called again, whatever about. */
function patienceMs({ call, lane }: Cell): number {
  const calls = (call.at === 'home' ? lane.home : lane.lending).calls();
  const refused = calls.findIndex(({ status }) => status === 429);
  return (calls[refused + 1]?.at ?? Infinity) - (calls[refused]?.at ?? 0);
}
