import { timeText } from '@passport/runtime';
import { windowAt } from '@passport/config';
import { resumeLibrary } from '@passport/queue/processes';
import { withQueue } from '../../connect/with-queue.ts';
import { defineCommand, findLibrary } from '../../program/index.ts';
import { openAudit } from '../../program/open-audit.ts';
import { asSide, asText, sidesOf } from './pause.ts';

export const libraryResume = defineCommand({
  summary: 'end the pause of a library',
  description:
    'Ends what `library pause` began. Every process sees it within a second, and what waits for the library goes on at once. ' +
    'Exit code 1 if the library was not paused. Ends no planned window of the configuration (`windows`).',
  examples: ['passport library resume midland', 'passport library resume riverside --as lending'],
  argument: ['<library>', 'its id'],
  options: { as: asSide() },
  run: ({ as }, [id = ''], report, deps) =>
    withQueue(deps, async ({ consortium, redis, now }): Promise<0 | 1> => {
      const { id: library, windows } = findLibrary(consortium, id);
      const nowMs = await now();
      const ended = await resumeLibrary(redis, library, sidesOf(as), nowMs);
      const sides = ended.map(({ side }) => side);
      const audit = openAudit(deps, 'resume', 'resume of a library by an operator');
      if (sides.length > 0) audit({ library, as: sides });
      const planned = sidesOf(as).flatMap((side) => {
        const window = windowAt(windows, side, nowMs);
        return window === null ? [] : [{ side, untilMs: window.untilMs, reason: window.reason }];
      });
      report.json({
        library,
        resumed: sides,
        planned: planned.map(({ side, untilMs, reason }) => ({
          side,
          until: new Date(untilMs).toISOString(),
          reason,
        })),
      });
      report.line(sides.length === 0 ? `${library}: was not paused` : `${library}: resumed${asText(sides)}`);
      for (const { side, untilMs, reason } of planned)
        report.line(
          `a planned window goes on: paused as ${side} library until ${timeText(untilMs, nowMs)} (${reason})`,
        );
      return sides.length === 0 ? 1 : 0;
    }),
});
