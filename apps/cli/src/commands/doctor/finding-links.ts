import { OPERATOR_PAGES, operatorLink } from '@passport/contract';
import type { Finding, FindingCode } from '@passport/set-up';
import type { Report } from '../../program/index.ts';

type Seen = Pick<Finding, 'level' | 'code'>;

/** Sections of the runbook about what is found of the service itself. */
const SECTIONS: { readonly [code in FindingCode]?: string } = {
  receiver_unreachable: 'passportreceivergone',
  receiver_refuses: 'passportunauthorized',
  redis_unreachable: 'passportredisdown',
  redis_policy: 'passportredisforgets',
  redis_no_file: 'passportredisnofile',
  no_worker: 'passportnoworker',
  no_receiver: 'passportreceivergone',
  process_version: 'upgrade',
  config_differs: 'change-the-configuration',
  config_refused: 'change-the-configuration',
  not_reloaded: 'change-the-configuration',
};

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
