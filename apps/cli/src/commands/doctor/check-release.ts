import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, warning } from './finding.ts';

/** What the service is made for, and was read in Koha's source. */
const OLDEST = '23.11';
const NEWEST = '26.05';
export const SUPPORTED_RELEASES = `${OLDEST} to ${NEWEST}`;

/** `24.11` of `24.11.05.000`; null for what is no version of Koha's. */
function releaseOf(version: string | null | undefined): string | null {
  const [, year, month] = /^(\d{2})\.(\d{2})\./.exec(`${version ?? ''}.`) ?? [];
  return year === undefined || month === undefined ? null : `${year}.${month}`;
}

/** Whether this Koha is of a release that the service is made for. Development versions (25.06) count as what they lead to. */
export function checkRelease({ isLending }: Examinee, { about, capabilities }: Facts): Finding[] {
  const release = releaseOf(about?.koha_version);
  const { checkoutAvailability } = capabilities;
  if (!checkoutAvailability || (release !== null && release < OLDEST)) {
    const which = release === null ? `older than ${OLDEST}` : release;
    const problem = `this Koha is ${which}: its API has no checkouts, and is not tested`;
    const remedy = `upgrade Koha to ${OLDEST} or later`;
    return [isLending ? fault('koha_old', problem, remedy) : warning('koha_old', problem, remedy)];
  }
  if (release === null || release <= NEWEST) return [];
  const problem = `this Koha is ${release}, and the service supports ${SUPPORTED_RELEASES}`;
  const remedy =
    'look for a newer version of Patron Passport; until then, test with `passport doctor --probe`';
  return [warning('koha_new', problem, remedy)];
}
