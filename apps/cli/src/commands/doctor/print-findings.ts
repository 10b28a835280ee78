import type { Finding } from '@passport/set-up';
import type { Report } from '../../program/index.ts';

/** Each finding in two lines, with what Koha answered between them. */
export function printFindings(
  findings: readonly Finding[],
  { line, colors }: Pick<Report, 'line' | 'colors'>,
): void {
  const marks = {
    fault: colors.red('fault'),
    warning: colors.yellow('warning'),
    unchecked: colors.dim('not checked'),
  };
  for (const { level, code, problem, remedy, answered } of findings) {
    line(`  ${marks[level]} ${code}: ${problem}`);
    if (answered !== null) line(`    ${colors.dim('answered:')} ${answered}`);
    line(`    ${colors.dim('→')} ${remedy}`);
  }
}
