import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';

/** The value that `share` (0 to 1) of the values do not exceed. Throws on an empty list: nothing was measured. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('nothing was measured');
  return value;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Milliseconds since the epoch with their fractions: comparable between processes of one machine. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();

/** How long something takes in milliseconds. */
export async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = preciseNow();
  await act();
  return preciseNow() - startedAt;
}

/** Resident memory of a process in MB, as Linux reports it. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024;
}

/** What a tick of Linux' process times is worth, on every platform that Node runs on. */
const TICK_MS = 10;

/** Processor time that a process has used so far, all its threads together, in milliseconds. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets, which may hold blanks; the first one after it is the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[11]) + Number(fields[12]));
}

/** What a promise comes to, or null where it has not within so long. */
export async function within<Result>(ms: number, result: Promise<Result>): Promise<Result | null> {
  const patience = new AbortController();
  const late = sleep(ms, null, { signal: patience.signal }).catch(() => null);
  try {
    return await Promise.race([result, late]);
  } finally {
    patience.abort();
  }
}
