import type { Consortium, Library } from '@passport/config';
import { type KohaPatron, quoteOf } from '@passport/koha-client';
import { homeKeyOf, isCopy, numbersAt, passportTypes } from '@passport/patron-rules';
import { attempt, withKohas } from '../../connect/koha-clients.ts';
import { branchOf, type CliDeps, type Report } from '../../program/index.ts';
import { openAudit } from '../../program/open-audit.ts';
import { type Examinee, type Finding, checkSight, examineeOf } from '@passport/set-up';
import { printFindings } from './print-findings.ts';
import { examineeDeps } from './examinee-deps.ts';

type ProbeQuery = 'card lookup' | 'read by id' | 'lookup by home key' | 'item lookup' | 'availability';

/** One look-up of a probe: what came of it, without anything of the patron. */
interface ProbeStep {
  readonly query: ProbeQuery;
  readonly result: string;
  readonly ms: number;
  /** The HTTP status; null where there was no answer, or nothing was sent. */
  readonly status: number | null;
  /** Koha's words, where it did not answer as it should. */
  readonly answered: string | null;
  readonly failed: boolean;
}

/** Sends one look-up and times it; `value` is null when it failed. */
async function takeStep<T>(
  query: ProbeQuery,
  send: () => Promise<T>,
  resultOf: (value: T) => string,
): Promise<{ readonly step: ProbeStep; readonly value: T | null }> {
  const startedAt = performance.now();
  const tried = await attempt(send());
  const ms = Math.round(performance.now() - startedAt);
  if ('value' in tried) {
    const { value } = tried;
    return {
      value,
      step: { query, result: resultOf(value), ms, status: 200, answered: null, failed: false },
    };
  }
  const { error } = tried;
  const result = [error.code, error.permission ?? error.field ?? ''].join(' ').trimEnd();
  return {
    value: null,
    step: { query, result, ms, status: error.status, answered: quoteOf(error), failed: true },
  };
}

/** A look-up that is not sent, and why. */
const leftOut = (query: ProbeQuery, why: string): ProbeStep => ({
  query,
  result: `skipped: ${why}`,
  ms: 0,
  status: null,
  answered: null,
  failed: false,
});

const HOLDS = {
  home_record: 'found',
  copy: 'found, a copy',
  nothing: 'not found',
  several: 'found more than once',
  unknown: '',
} as const;
type Holds = keyof typeof HOLDS;

/** What one library knows of a card. */
interface Probed {
  readonly library: Library;
  /** Null: not queried, because none of its card patterns matches. */
  readonly steps: readonly ProbeStep[] | null;
  readonly holds: Holds;
  readonly findings: readonly Finding[];
}

export interface ProbeWish {
  readonly consortium: Consortium;
  /** Those that were named on the command line; all that are enabled otherwise. */
  readonly libraries: readonly Library[];
  readonly isNamed: boolean;
  readonly card: string;
  /** The item whose availability is looked up; nothing is checked out. */
  readonly barcode: string | null;
}

interface Looked {
  readonly examinee: Examinee;
  readonly steps: ProbeStep[];
  readonly patron: KohaPatron | null;
  readonly holds: Holds;
}

function holdsOf(found: readonly KohaPatron[] | null, types: ReadonlySet<string>): Holds {
  const [patron] = found ?? [];
  if (found === null) return 'unknown';
  if (patron === undefined) return 'nothing';
  if (found.length > 1) return 'several';
  return isCopy(patron, types) ? 'copy' : 'home_record';
}

/** The card, and its record by number, as the worker reads them. */
async function look(examinee: Examinee, card: string, types: ReadonlySet<string>): Promise<Looked> {
  const { library, koha, isHome, balances } = examinee;
  const wanted = { attributes: true, balance: isHome && balances.includes(true) };
  const { step, value } = await takeStep(
    'card lookup',
    () => koha.findByCard([...numbersAt(library, card), card], wanted),
    (found) => HOLDS[holdsOf(found, types)],
  );
  const steps = [step];
  const patron = value?.length === 1 ? (value[0] ?? null) : null;
  if (patron !== null) {
    const byId = await takeStep(
      'read by id',
      () => koha.readPatron(patron.patronId),
      (read) => (read === null ? 'not found' : 'found'),
    );
    steps.push(byId.step);
  }
  return { examinee, steps, patron, holds: holdsOf(value, types) };
}

/** Availability writes a statistics row for a statistical category, so it is queried only if the category is known to be another. */
async function* queryAvailability(
  { examinee: { koha, library }, patron }: Looked,
  barcode: string,
): AsyncGenerator<ProbeStep, void, undefined> {
  const item = await takeStep(
    'item lookup',
    () => koha.findItem(barcode),
    (found) => (found === null ? 'not found' : 'found'),
  );
  yield item.step;
  const itemId = item.value?.itemId;
  if (itemId === undefined) return;
  if (patron === null) return yield leftOut('availability', 'nobody here has the card');
  const categories = await attempt(koha.categories());
  const all = 'value' in categories ? categories.value : [];
  const type = all.find(({ category }) => category === patron.categoryId)?.type ?? 'X';
  if (type === 'X') {
    const why = "the type of the patron's category cannot be seen, or is statistical";
    return yield leftOut('availability', why);
  }
  const availability = await takeStep(
    'availability',
    () => koha.availability(patron.patronId, itemId, { branch: branchOf(library) }),
    ({ blockers, confirms }) => [...blockers, ...confirms].slice(0, 10).join(' ') || 'can be checked out',
  );
  yield availability.step;
}

/** Why a card may not have been found although somebody has it. */
async function sightOf({ koha }: Examinee): Promise<Finding[]> {
  const [sight, branches, abilities] = await Promise.all([
    attempt(koha.visiblePatrons()),
    attempt(koha.branches()),
    attempt(koha.capabilities()),
  ]);
  const hasPlugin = 'value' in abilities && abilities.value.pluginRoutes;
  const about = hasPlugin ? await attempt(koha.about()) : null;
  const found = checkSight({
    visible: 'value' in sight ? sight.value : null,
    branches: 'value' in branches ? branches.value : null,
    about: about !== null && 'value' in about ? about.value : null,
  });
  return [...found];
}

/**
 * Looks one card up at these libraries with the worker's own calls, and writes nothing: at each the card and the record by id; at lending
 * libraries also the home key, once one home record is found, and whether the item could be checked out.
 */
async function probeCard(
  examinees: readonly Examinee[],
  { card, barcode, consortium }: ProbeWish,
): Promise<Probed[]> {
  const types = passportTypes(consortium);
  const looked = await Promise.all(examinees.map((examinee) => look(examinee, card, types)));
  const homes = looked.filter(({ holds, examinee }) => holds === 'home_record' && examinee.isHome);
  const [home] = homes;
  return Promise.all(
    looked.map(async (one): Promise<Probed> => {
      const { examinee, steps, holds } = one;
      const { library, koha, isLending } = examinee;
      const type = library.copy.homeKeyAttribute;
      const patronId = home?.patron?.patronId;
      if (isLending && homes.length === 1 && home !== one && type !== null && patronId !== undefined) {
        const homeKey = homeKeyOf(home?.examinee.library.id ?? '', patronId);
        const byKey = await takeStep(
          'lookup by home key',
          () => koha.findByAttribute(type, homeKey),
          (found) => (found.length === 0 ? 'not found' : `found ${found.length}`),
        );
        steps.push(byKey.step);
      }
      if (isLending && barcode !== null)
        for await (const step of queryAvailability(one, barcode)) steps.push(step);
      const findings = holds === 'nothing' ? await sightOf(examinee) : [];
      return { library, steps, holds, findings };
    }),
  );
}

/** As the worker does: a card is not looked up at a library whose patterns do not match it, unless the operator names the library. */
const isQueried = (library: Library, { isNamed, card }: ProbeWish): boolean =>
  isNamed || numbersAt(library, card).length > 0;

function print(all: readonly Probed[], { line, colors }: Report): void {
  for (const { library, steps, findings } of all) {
    const silent = steps === null ? ': not queried, its card patterns do not match' : '';
    line(`${colors.bold(library.id)} ${colors.dim(library.name)}${silent}`);
    for (const { query, result, ms, status, answered, failed } of steps ?? []) {
      const shown = failed ? colors.red(result) : result;
      const cost = status === null && ms === 0 ? '' : ` ${colors.dim(`${status ?? 'no answer'}, ${ms} ms`)}`;
      line(`  ${query.padEnd(20)}${shown}${cost}`);
      if (answered !== null) line(`    ${colors.dim('answered:')} ${answered}`);
    }
    printFindings(findings, { line, colors });
  }
  const homes = all.filter(({ holds }) => holds === 'home_record').map(({ library }) => library.id);
  line(homes.length === 0 ? 'no home library' : `home library: ${homes.join(', ')}`);
}

/** `doctor --probe`: exit code 1 when a look-up failed, or a library certainly hides patrons from us. */
export async function runProbe(wish: ProbeWish, report: Report, deps: CliDeps): Promise<0 | 1> {
  const { consortium, libraries } = wish;
  const queried = libraries.filter((library) => isQueried(library, wish));
  const probed = await withKohas(queried, deps, (kohaOf) =>
    probeCard(
      queried.map((library) => examineeOf(library, kohaOf(library.id), consortium, examineeDeps(deps))),
      wish,
    ),
  );
  const all = libraries.map(
    (library): Probed =>
      probed.find((each) => each.library === library) ?? {
        library,
        steps: null,
        holds: 'unknown',
        findings: [],
      },
  );
  // Somebody looks at one person's record at other libraries: that is kept, without the card.
  openAudit(deps, 'probe', 'card looked up by an operator')({ queried: queried.map(({ id }) => id) });
  print(all, report);
  const failed = all.some(
    ({ steps, findings }) =>
      (steps ?? []).some((step) => step.failed) || findings.some(({ level }) => level === 'fault'),
  );
  report.json({
    ok: !failed,
    libraries: all.map(({ library, steps, holds, findings }) => ({
      id: library.id,
      queried: steps !== null,
      holds,
      steps: steps ?? [],
      findings,
    })),
  });
  return failed ? 1 : 0;
}
