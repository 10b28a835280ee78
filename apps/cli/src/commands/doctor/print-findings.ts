import type { Report } from '../../program/report.ts';
import type { Finding } from './finding.ts';

/** Each finding in two lines, with what Koha answered between them. */
export function printFindings(findings: readonly Finding[], { line, colors }: Report): void {
  const marks = {
    fault: colors.red('fault'),
    warning: colors.yellow('warning'),
    unchecked: colors.dim('not checked'),
  };
  for (const { level, code, problem, remedy, said } of findings) {
    line(`  ${marks[level]} ${code}: ${problem}`);
    if (said !== null) line(`    ${colors.dim('answered:')} ${said}`);
    line(`    ${colors.dim('→')} ${remedy}`);
  }
}
