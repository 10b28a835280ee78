import type { Consortium } from '@passport/config';
import { attempt, type PluginAbout } from '@passport/koha-client';
import { checkAddress, checkClock, checkRelease } from './check-address.ts';
import { checkQueries, checkSight, checkWriting } from './check-api-user.ts';
import {
  checkBranch,
  checkCategories,
  checkHomeCategories,
  checkRules,
  closedMapOf,
} from './check-categories.ts';
import { checkPlugin, checkSettings, type PluginReports, readAbout } from './check-plugin.ts';
import { checkTypesFromOutside } from './plugin-findings.ts';
import type { Examinee, Facts, FindingsOfCalls } from './examinee.ts';
import { type Finding, fault, withoutRepeats } from './finding.ts';
import { faultOfFailure, uncheckedFailure } from './koha-failure.ts';

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

export interface Examined {
  readonly examinee: Examinee;
  readonly examination: Examination;
}

/** The branches; null where the API user may not see them. */
async function* readBranches({ koha }: Examinee): FindingsOfCalls<Facts['branches']> {
  const read = await attempt(koha.branches());
  if ('value' in read) return read.value;
  const what = 'the list of branches';
  yield uncheckedFailure(read.error, { code: 'branch_unknown', what, knownPermission: 'catalogue: 1' });
  return null;
}

/** The clock of Koha's own machine is the one that signs; the `date` of the answer may be a proxy's. */
function clockOf(examinee: Examinee, reported: string | null, measuredMs: number | null): number | null {
  const reportedMs = reported === null ? Number.NaN : Date.parse(reported);
  return Number.isNaN(reportedMs) ? measuredMs : reportedMs - examinee.now();
}

const CLOSED = { isOpen: false, branches: null, about: null, reports: null };

/** Examines one library from the address inwards. What depends on a fault is left out. */
async function* examine(examinee: Examinee): FindingsOfCalls<Omit<Examination, 'findings'>> {
  const { isLending, koha } = examinee;
  const { capabilities, ...address } = yield* checkAddress(examinee);
  if (capabilities === null) return CLOSED;
  const sight = await attempt(koha.visiblePatrons());
  if ('error' in sight) {
    const needed = isLending ? 'borrowers: edit_borrowers' : 'borrowers: list_borrowers';
    const refused = faultOfFailure(sight.error, 'to look patrons up', needed);
    yield refused;
    if (refused.code !== 'permission_missing') return CLOSED;
  }
  const visible = 'value' in sight ? sight.value : null;
  const branches = yield* readBranches(examinee);
  const about = yield* readAbout(examinee, capabilities);
  const reports = yield* checkSettings(examinee, capabilities);
  const clockAheadMs = clockOf(examinee, about?.time ?? null, address.clockAheadMs);
  const facts = { capabilities, visible, branches, about, clockAheadMs };
  yield* checkRelease(examinee, facts);
  yield* checkClock(examinee, facts);
  yield* checkSight(facts);
  yield* checkQueries(examinee, facts);
  if (isLending) {
    yield* checkWriting(examinee, facts);
    yield* checkBranch(examinee, facts);
    const unknown = yield* checkCategories(examinee, facts);
    const missing = reports?.findings?.filter(({ finding }) => finding === 'category_missing') ?? [];
    yield* checkRules(examinee, facts, [...unknown, ...missing.map(({ name }) => name)]);
    if ((reports?.findings ?? null) === null) yield* checkTypesFromOutside(examinee, facts);
    yield* checkPlugin(examinee, facts);
  }
  return { isOpen: true, branches: branches?.map(({ branch }) => branch) ?? null, about, reports };
}

/** All that a check finds, and what it leaves. */
export async function collect<R>(checks: FindingsOfCalls<R>): Promise<{ findings: Finding[]; result: R }> {
  const findings: Finding[] = [];
  for (;;) {
    const next = await checks.next();
    if (next.done === true) return { findings, result: next.value };
    findings.push(next.value);
  }
}

/** Examines one library, and changes nothing. */
export async function examineLibrary(examinee: Examinee): Promise<Examination> {
  const { findings, result } = await collect(examine(examinee));
  return { ...result, findings: withoutRepeats(findings) };
}

const branchesOf = ({ examination }: Examined): string | null =>
  examination.branches === null ? null : examination.branches.toSorted().join('\n');

async function isSameKoha(one: Examined, other: Examined): Promise<boolean> {
  const clientId = one.examinee.library.koha.clientId.reveal();
  if (clientId === other.examinee.library.koha.clientId.reveal()) return true;
  // This costs a call at another library, so it is made only where the branches are the same.
  if (branchesOf(one) === null || branchesOf(one) !== branchesOf(other)) return false;
  const known = await attempt(other.examinee.koha.knowsApiKey(clientId));
  return 'value' in known && known.value === true;
}

/** Whether an entry leads to the Koha of an earlier one by another address: every card there would be ambiguous. */
export async function* checkTwins(examined: readonly Examined[], other: Examined): FindingsOfCalls {
  for (const one of examined.slice(0, examined.indexOf(other))) {
    if (!(await isSameKoha(one, other))) continue;
    const { id } = one.examinee.library;
    const remedy = `give ${other.examinee.library.id} the URL and the API key of its own Koha, or take it out of the configuration`;
    yield fault('same_koha', `this is the same Koha as ${id}`, remedy, id);
    return;
  }
}

/** What a closed category map leaves out. Compares with the homes that were examined. */
export async function* checkClosedMap(
  examined: readonly Examined[],
  { examinee: lending, examination }: Examined,
  consortium: Consortium,
): FindingsOfCalls {
  if (!examination.isOpen || closedMapOf(lending) === null) return;
  for (const { examinee: home, examination: ofHome } of examined)
    if (ofHome.isOpen && home !== lending) yield* checkHomeCategories(lending, home, consortium);
}
