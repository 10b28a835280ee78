import { setUpFindingText } from '@passport/contract';
import { type SetUpFinding, readSetUps } from '@passport/queue/sweeps';
import type { FindingCode } from '@passport/set-up';
import { timeText } from '@passport/runtime';
import { withQueue } from '../../connect/with-queue.ts';
import { type CliDeps, findLibrary, type Report } from '../../program/index.ts';
import { libraryLink, printLink } from './finding-links.ts';
import { MARKS } from './print-findings.ts';

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
      return { id, name, atMs: seen?.at_ms ?? null, findings, link };
    });
    for (const { id, name, atMs, findings, link } of shown) {
      const when = atMs === null ? 'not checked yet' : `checked ${timeText(atMs, nowMs)}`;
      line(`${colors.bold(id)} ${colors.dim(name)}: ${when}`);
      for (const { level, code, name: about } of findings)
        line(`  ${MARKS[level](colors)} ${code}: ${setUpFindingText(code, about)}`);
      printLink(link, report);
    }
    const ok = shown.every(({ findings }) => findings.every(({ level }) => level !== 'fault'));
    if (shown.some(({ findings }) => findings.length > 0))
      line('what to do about each, by a check of now: passport doctor LIBRARY');
    json({
      ok,
      libraries: shown.map(({ id, atMs, findings, link }) => ({
        id,
        checked: atMs === null ? null : new Date(atMs).toISOString(),
        findings,
        link,
      })),
    });
    return ok ? 0 : 1;
  });
