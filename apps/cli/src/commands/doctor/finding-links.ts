import { OPERATOR_PAGES, SERVICE_FINDINGS, operatorLink } from '@passport/contract';
import type { Finding, FindingCode } from '@passport/set-up';
import type { Report } from '../../program/index.ts';

type Seen = Pick<Finding, 'level' | 'code'>;

const SECTIONS: { readonly [code in FindingCode]?: string } = SERVICE_FINDINGS;

const wrongOf = (findings: readonly Seen[]): Seen[] => findings.filter(({ level }) => level !== 'unchecked');

/** Where the findings at a library lead: to its page. Null where nothing is wrong, or the dashboard has no address. */
export const libraryLink = (
  dashboard: string | null,
  id: string,
  findings: readonly Seen[],
): string | null =>
  wrongOf(findings).length === 0 ? null : operatorLink(dashboard, OPERATOR_PAGES.library(id));

/** The same for the service itself: to what the runbook says of the gravest, else to the overview. */
export function serviceLink(dashboard: string | null, findings: readonly Seen[]): string | null {
  const wrong = wrongOf(findings);
  const [first] = wrong;
  if (first === undefined) return null;
  const { code } = wrong.find(({ level }) => level === 'fault') ?? first;
  const section = SECTIONS[code];
  return operatorLink(
    dashboard,
    section === undefined ? OPERATOR_PAGES.overview() : OPERATOR_PAGES.runbook(section),
  );
}

/** The line below findings that leads to the page about them. */
export function printLink(link: string | null, { line, colors }: Pick<Report, 'line' | 'colors'>): void {
  if (link !== null) line(`  ${colors.dim('more:')} ${link}`);
}
