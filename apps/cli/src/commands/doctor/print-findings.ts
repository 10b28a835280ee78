import type { Finding } from '@passport/set-up';
import type { Report } from '../../program/index.ts';

type Colors = Report['colors'];

/** How grave a finding is, as it stands before it. */
export const MARKS: Readonly<Record<Finding['level'], (colors: Colors) => string>> = {
  fault: ({ red }) => red('fault'),
  warning: ({ yellow }) => yellow('warning'),
  unchecked: ({ dim }) => dim('not checked'),
};

/** Each finding in two lines, with what Koha answered between them. */
export function printFindings(
  findings: readonly Finding[],
  { line, colors }: Pick<Report, 'line' | 'colors'>,
): void {
  for (const { level, code, problem, remedy, answered } of findings) {
    line(`  ${MARKS[level](colors)} ${code}: ${problem}`);
    if (answered !== null) line(`    ${colors.dim('answered:')} ${answered}`);
    line(`    ${colors.dim('→')} ${remedy}`);
  }
}
