import { setUpFindingText } from '@passport/contract';
import { type SetUpFinding, readSetUps } from '@passport/queue/sweeps';
import type { FindingCode } from '@passport/set-up';
import { timeText } from '@passport/runtime';
import { withQueue } from '../../connect/with-queue.ts';
import { type CliDeps, findLibrary, type Report } from '../../program/index.ts';
import { libraryLink, printLink } from './finding-links.ts';
import { MARKS } from './print-findings.ts';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/**
 * `doctor --last`: prints what the last nightly check of each library found, and calls no Koha. Exit code 1 on a fault, as doctor.
 */
export const runLast = (
  ids: readonly string[],
  ignore: readonly FindingCode[],
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> =>
  withQueue(deps, async ({ redis, consortium, now }) => {
    const { line, colors, json } = report;
    const [setUps, nowMs] = await Promise.all([readSetUps(redis), now()]);
    const libraries =
      ids.length === 0
        ? consortium.libraries.filter(({ enabled }) => enabled)
        : [...new Set(ids)].map((id) => findLibrary(consortium, id));
    const isWanted = ({ code }: SetUpFinding): boolean => !ignore.includes(code);
    const shown = libraries.map(({ id, name }) => {
      const seen = setUps.get(id);
      const findings = (seen?.findings ?? []).filter(isWanted);
      const link = libraryLink(consortium.public.dashboard, id, findings);
      const uncheckedMs = seen?.unchecked_since_ms ?? null;
      return { id, name, atMs: seen?.at_ms ?? null, uncheckedMs, findings, link };
    });
    for (const { id, name, atMs, uncheckedMs, findings, link } of shown) {
      const checked = atMs === null ? 'not checked yet' : `checked ${timeText(atMs, nowMs)}`;
      const unchecked = uncheckedMs === null ? null : `unchecked since ${timeText(uncheckedMs, nowMs)}`;
      line(`${colors.bold(id)} ${colors.dim(name)}: ${unchecked ?? checked}`);
      if (unchecked !== null && atMs !== null) line(`  last ${checked}`);
      for (const { level, code, name: about } of findings)
        line(`  ${MARKS[level](colors)} ${code}: ${setUpFindingText(code, about)}`);
      printLink(link, report);
    }
    const ok = shown.every(({ findings }) => findings.every(({ level }) => level !== 'fault'));
    if (shown.some(({ findings }) => findings.length > 0))
      line('what to do about each, by a check of now: passport doctor LIBRARY');
    json({
      ok,
      libraries: shown.map(({ id, atMs, uncheckedMs, findings, link }) => ({
        id,
        checked: iso(atMs),
        unchecked_since: iso(uncheckedMs),
        findings,
        link,
      })),
    });
    return ok ? 0 : 1;
  });
