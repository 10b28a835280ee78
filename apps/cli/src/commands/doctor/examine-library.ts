import type { PluginAbout } from '@passport/koha-client';
import { checkAddress } from './check-address.ts';
import { checkAttributeTypes } from './check-attribute-types.ts';
import { checkBranch } from './check-branch.ts';
import { checkCategories } from './check-categories.ts';
import { checkClock } from './check-clock.ts';
import { checkPlugin, readAbout } from './check-plugin.ts';
import { checkQueries } from './check-queries.ts';
import { checkRelease } from './check-release.ts';
import { checkRules } from './check-rules.ts';
import { type PluginReports, checkSettings } from './check-settings.ts';
import { checkSight } from './check-sight.ts';
import { checkWriting } from './check-writing.ts';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, withoutRepeats } from './finding.ts';
import { attempt, faultOfFailure, uncheckedFailure } from './koha-failure.ts';

/** What was found at one library. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** It was reached and let us in. */
  readonly isOpen: boolean;
  /** For the comparison with others; null when the API user may not see them. */
  readonly branches: readonly string[] | null;
  /** Null: no plugin, or it does not answer. */
  readonly about: PluginAbout | null;
  /** Null: not a lending library, or its plugin does not say. */
  readonly reports: PluginReports | null;
}

/** The branches, when the API user may see them. */
async function readBranches({ koha }: Examinee) {
  const read = await attempt(koha.branches());
  if ('value' in read) return { branches: read.value, findings: [] };
  const what = 'the list of branches';
  const about = { code: 'branch_unknown', what, knownPermission: 'catalogue: 1' } as const;
  return { branches: null, findings: [uncheckedFailure(read.error, about)] };
}

async function checkLendingSide(examinee: Examinee, facts: Facts): Promise<Finding[]> {
  return [
    ...(await checkWriting(examinee, facts)),
    ...checkBranch(examinee, facts),
    ...(await checkCategories(examinee, facts)),
    ...(await checkRules(examinee, facts)),
    ...(await checkAttributeTypes(examinee, facts)),
    ...checkPlugin(examinee, facts),
  ];
}

/** The clock of Koha's own machine is the one that signs; the `date` of the answer may be a proxy's. */
function clockOf(examinee: Examinee, reported: string | null, measuredMs: number | null): number | null {
  const reportedMs = reported === null ? Number.NaN : Date.parse(reported);
  return Number.isNaN(reportedMs) ? measuredMs : reportedMs - examinee.now();
}

/** Examines one library from the address inwards, and changes nothing. What depends on a fault is left out. */
export async function examineLibrary(examinee: Examinee): Promise<Examination> {
  const { isLending, koha } = examinee;
  const { capabilities, ...address } = await checkAddress(examinee);
  const closed = { isOpen: false, branches: null, about: null, reports: null };
  if (capabilities === null) return { ...closed, findings: address.findings };
  const sight = await attempt(koha.visiblePatrons());
  const needed = isLending ? 'borrowers: edit_borrowers' : 'borrowers: list_borrowers';
  const refused = 'error' in sight ? [faultOfFailure(sight.error, 'to look patrons up', needed)] : [];
  if (refused.some(({ code }) => code !== 'permission_missing')) {
    return { ...closed, findings: [...address.findings, ...refused] };
  }
  const visible = 'value' in sight ? sight.value : null;
  const { branches, findings: ofBranches } = await readBranches(examinee);
  const { about, findings: ofPlugin } = await readAbout(examinee, capabilities);
  const settings = await checkSettings(examinee, capabilities);
  const clockAheadMs = clockOf(examinee, about?.time ?? null, address.clockAheadMs);
  const facts = { capabilities, visible, branches, about, clockAheadMs };
  const findings = [
    ...address.findings,
    ...refused,
    ...ofBranches,
    ...ofPlugin,
    ...settings.findings,
    ...checkRelease(examinee, facts),
    ...checkClock(examinee, facts),
    ...checkSight(facts),
    ...(await checkQueries(examinee, facts)),
    ...(isLending ? await checkLendingSide(examinee, facts) : []),
  ];
  return {
    findings: withoutRepeats(findings),
    isOpen: true,
    branches: branches?.map(({ branch }) => branch) ?? null,
    about,
    reports: settings.reports,
  };
}
