import { localTime } from '@passport/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Library } from '@passport/config';
import {
  type SweepJob,
  type SweepState,
  openSweepQueue,
  readSchedules,
  readSweep,
} from '@passport/queue/sweeps';
import { openAudit } from '../../program/open-audit.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import {
  type CliDeps,
  defineCommand,
  Failure,
  findLibrary,
  flag,
  type Report,
  optional,
} from '../../program/index.ts';

const LOOK_EVERY_MS = 500;
/** A worker takes a sweep at once, unless it has another. */
const TAKEN_WITHIN_MS = 60_000;

const copiesOf = ({ homes }: SweepState): number =>
  Object.values(homes).reduce((sum, { copies }) => sum + copies, 0);

/** Queues a sweep of one library and follows it to its end, or until the person interrupts. Throws Failure. */
async function sweepOne(
  { redis, now }: OpenQueue,
  wanted: SweepJob,
  { progress }: Report,
  { signal }: CliDeps,
): Promise<SweepState> {
  const queue = openSweepQueue(redis);
  try {
    const job = await queue.add(wanted.library, wanted);
    const since = await now();
    let shown = -1;
    for (;;) {
      const failed = (await job.getState()) === 'failed' ? await queue.getJob(job.id ?? '') : undefined;
      if (failed !== undefined) {
        const why = failed.failedReason ?? 'nobody knows why';
        throw new Failure(`${wanted.library}: the sweep has failed: ${why}`, { code: 'failed' });
      }
      const state = await readSweep(redis, wanted.library, wanted.dry_run);
      const isOurs = state !== null && state.job === job.id;
      if (isOurs && state.ended_ms !== null) return state;
      if (isOurs && copiesOf(state) !== shown) {
        shown = copiesOf(state);
        progress(`${wanted.library}: ${shown} copies so far`);
      }
      if (signal.aborted)
        throw new Failure('the sweep goes on without this command', { code: 'interrupted' });
      if (!isOurs && (await now()) - since > TAKEN_WITHIN_MS) {
        const why = (await queue.getJob(job.id ?? ''))?.failedReason ?? 'no worker has taken it yet';
        throw new Failure(`${wanted.library}: the sweep has not begun: ${why}`, { code: 'not_begun' });
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await queue.close();
  }
}

function printSweep(state: SweepState, { line }: Report): void {
  const { library, mode, dry_run: isDry, started_ms: startedMs, ended_ms: endedMs, failed } = state;
  const when = localTime(startedMs);
  line(
    `${library}: ${isDry ? 'dry run' : 'sweep'} (${mode}) of ${when}${endedMs === null ? ', not ended' : ''}`,
  );
  if (failed !== null) line(`  not to its end: ${failed}`);
  const homes = Object.entries(state.homes);
  if (homes.length === 0 && endedMs !== null) line('  no copies');
  for (const [id, home] of homes) {
    const findings = Object.entries(home.findings).map(([finding, count]) => `${finding} ${count}`);
    const fields = `${home.fields_changed} fields ${isDry ? 'to change' : 'changed'}, ${home.fields_kept} kept`;
    line(`  ${id} (${home.state}): ${[`${home.copies} copies`, ...findings, fields].join(', ')}`);
  }
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** What another program gets: counts only. */
const toJson = ({ id, library, mode, dry_run, started_ms, ended_ms, failed, homes }: SweepState) => ({
  id,
  library,
  mode,
  dry_run,
  started_at: isoOf(started_ms),
  ended_at: isoOf(ended_ms),
  failed,
  homes,
});

/** The libraries to sweep. Throws Failure where nothing may be written. */
function wantedLibraries(
  { consortium }: OpenQueue,
  at: string | undefined,
  mayWrite: boolean,
): readonly Library[] {
  if (at === undefined)
    return consortium.libraries.filter(({ enabled, refresh }) => enabled && refresh !== null);
  const library = findLibrary(consortium, at);
  if (library.refresh === null && mayWrite) {
    throw new Failure(`${at}: refresh is off; --dry-run shows what it would change`, { code: 'refresh_off' });
  }
  return [library];
}

export const copiesRefresh = defineCommand({
  summary: 'refresh the copies of a lending library now, or say what would be changed',
  description:
    'Has a worker sweep over the copies of a lending library, or of all that have a refresh in the configuration, and follows it. A ' +
    'field is written only where the copy still holds what the service wrote; an edit of the lending library stays, and is counted. ' +
    'With --dry-run nothing is written. The output contains counts only. With --report it says, too, when the last sweep was done and ' +
    'when the next is due. The exit code is 1 if a home library did not answer or hides its patrons, or the sweep did not come to its end.',
  examples: [
    'passport copies refresh --at riverside --dry-run',
    'passport copies refresh --at riverside --full',
    'passport copies refresh --report --json',
  ],
  options: {
    at: optional('<library>', 'only the copies at this lending library'),
    dryRun: flag('write nothing'),
    full: flag('all copies, not only those whose home record changed since the last sweep'),
    report: flag('only print the report of the last sweep'),
  },
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      const isDry = wanted.dryRun === true;
      const isReport = wanted.report === true;
      const audit = openAudit(deps, 'copies_refresh', 'sweep by an operator');
      const sweeps: object[] = [];
      let isWrong = false;
      const schedules = isReport ? await readSchedules(open.redis) : [];
      for (const { id } of wantedLibraries(open, wanted.at, !isDry && !isReport)) {
        const job: SweepJob = { kind: 'sweep', library: id, dry_run: isDry, full: wanted.full === true };
        if (!isReport) audit({ lending: id, dry_run: isDry });
        const state = isReport
          ? await readSweep(open.redis, id, isDry)
          : await sweepOne(open, job, report, deps);
        const due = schedules.find(({ kind, library }) => kind === 'sweep' && library === id);
        if (due !== undefined)
          report.line(`${id}: last done ${isoOf(due.doneMs) ?? 'never'}, next ${isoOf(due.nextMs)}`);
        if (state === null) {
          report.progress(`${id}: no sweep yet`);
          continue;
        }
        printSweep(state, report);
        const times =
          due === undefined ? {} : { last_done_at: isoOf(due.doneMs), next_at: isoOf(due.nextMs) };
        sweeps.push({ ...toJson(state), ...times });
        isWrong ||= state.failed !== null;
        isWrong ||= Object.values(state.homes).some(
          (home) => home.state === 'down' || home.state === 'blind',
        );
      }
      report.json({ sweeps });
      return isWrong ? 1 : 0;
    }),
});
