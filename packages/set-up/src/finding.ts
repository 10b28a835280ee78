import type { Library } from '@passport/config';
import {
  SERVICE_FINDINGS,
  SET_UP_FINDINGS,
  type ServiceFindingCode,
  type SetUpFindingCode,
  isSetUpFinding,
} from '@passport/contract';

/** What doctor can find: at a library, and at the service itself. */
export type FindingCode = SetUpFindingCode | ServiceFindingCode;

/** What doctor can find. The codes are stable: `--ignore` and scripts use them. */
export const FINDING_CODES: readonly FindingCode[] = [
  ...Object.keys(SET_UP_FINDINGS).filter(isSetUpFinding),
  ...(Object.keys(SERVICE_FINDINGS) as ServiceFindingCode[]),
];

/** `fault`: something does not work, or costs patrons money or mail. `unchecked`: Koha does not let us see. */
type FindingLevel = 'fault' | 'warning' | 'unchecked';

/** One thing found, in one line, and what to click or do about it. */
export interface Finding {
  readonly level: FindingLevel;
  readonly code: FindingCode;
  /** The category, branch, attribute type or permission it is about. */
  readonly name: string | null;
  readonly problem: string;
  readonly remedy: string;
  /** What Koha answered, in those of its words that are known; null where nothing is quoted. */
  readonly answered: string | null;
}

/** The longest name, problem and remedy: some name branches and categories, and a Koha can have any number of them. */
const LONGEST_NAME = 80;
const LONGEST_TEXT = 600;
/** More findings of one kind at one library say no more. */
const MOST_OF_A_KIND = 20;

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

const build =
  (level: FindingLevel) =>
  (
    code: FindingCode,
    problem: string,
    remedy: string,
    name: string | null = null,
    answered: string | null = null,
  ): Finding => ({
    level,
    code,
    name: name === null ? null : cut(name, LONGEST_NAME),
    problem: cut(problem, LONGEST_TEXT),
    remedy: cut(remedy, LONGEST_TEXT),
    answered,
  });

export const fault = build('fault');
export const warning = build('warning');
export const unchecked = build('unchecked');

/** What is left of findings without those that the library's own configuration calls intended (`ignore_findings`). */
export const withoutIntended = <F extends { readonly code: FindingCode }>(
  findings: readonly F[],
  { ignoreFindings }: Pick<Library, 'ignoreFindings'>,
): F[] => findings.filter(({ code }) => !ignoreFindings.some((intended) => intended === code));

const ORDER: readonly FindingLevel[] = ['fault', 'warning', 'unchecked'];

/**
 * Each finding once, the gravest first: several checks can meet the same missing permission, and what is unchecked for want of it
 * goes without saying once it is a fault.
 */
export function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const sorted = findings.toSorted((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  return sorted.filter(({ level, code, name }) => {
    const key = `${code} ${name ?? ''}`;
    if (seen.has(key) || (level === 'unchecked' && seen.has(`permission_missing ${name ?? ''}`)))
      return false;
    seen.add(key);
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    return count <= MOST_OF_A_KIND;
  });
}
