import type { Library } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { homeKeyOf, isCopy } from '@passport/patron-rules';
import { branchOf } from '../../program/find-library.ts';
import { checkSight } from './check-sight.ts';
import type { Examinee } from './examinee.ts';
import type { Finding } from './finding.ts';
import { attempt } from './koha-failure.ts';
import { type ProbeStep, leftOut, takeStep } from './probe-step.ts';

/** What one library knows of a card. */
export interface Probed {
  readonly library: Library;
  /** Null: not queried, because none of its card patterns matches. */
  readonly steps: readonly ProbeStep[] | null;
  readonly holds: 'home_record' | 'copy' | 'nothing' | 'several' | 'unknown';
  readonly findings: readonly Finding[];
}

export interface Probe {
  readonly card: string;
  /** The item whose availability is looked up; nothing is checked out. */
  readonly barcode: string | null;
  /** Of the whole consortium. */
  readonly passportTypes: ReadonlySet<string>;
}

interface Looked {
  readonly examinee: Examinee;
  readonly steps: ProbeStep[];
  readonly patron: KohaPatron | null;
  readonly holds: Probed['holds'];
}

function holdsOf(found: readonly KohaPatron[] | null, types: ReadonlySet<string>): Probed['holds'] {
  const [patron] = found ?? [];
  if (found === null) return 'unknown';
  if (patron === undefined) return 'nothing';
  if (found.length > 1) return 'several';
  return isCopy(patron, types) ? 'copy' : 'home_record';
}

const WORDS: Readonly<Record<Probed['holds'], string>> = {
  home_record: 'found',
  copy: 'found, a copy',
  nothing: 'not found',
  several: 'found more than once',
  unknown: '',
};

/** The card, and its record by number, as the worker reads them. */
async function look(examinee: Examinee, { card, passportTypes }: Probe): Promise<Looked> {
  const { koha, isHome, balances } = examinee;
  const wanted = { attributes: true, balance: isHome && balances.includes(true) };
  const byCard = await takeStep(
    'card lookup',
    () => koha.findByCard(card, wanted),
    (found) => WORDS[holdsOf(found, passportTypes)],
  );
  const steps = [byCard.step];
  const holds = holdsOf(byCard.value, passportTypes);
  const patron = byCard.value?.length === 1 ? (byCard.value[0] ?? null) : null;
  if (patron !== null) {
    const byId = await takeStep(
      'read by id',
      () => koha.readPatron(patron.patronId),
      (read) => (read === null ? 'not found' : 'found'),
    );
    steps.push(byId.step);
  }
  return { examinee, steps, patron, holds };
}

/** Availability writes a statistics row for a statistical category, so it is queried only if the category is known to be another. */
async function queryAvailability({ examinee, patron, steps }: Looked, barcode: string): Promise<void> {
  const { koha, library } = examinee;
  const item = await takeStep(
    'item lookup',
    () => koha.findItem(barcode),
    (found) => (found === null ? 'not found' : 'found'),
  );
  steps.push(item.step);
  const itemId = item.value?.itemId;
  if (itemId === undefined) return;
  if (patron === null) {
    steps.push(leftOut('availability', 'nobody here has the card'));
    return;
  }
  const categories = await attempt(koha.categories());
  const type = ('value' in categories ? categories.value : []).find(
    ({ category }) => category === patron.categoryId,
  )?.type;
  if (type === undefined || type === null || type === 'X') {
    steps.push(
      leftOut('availability', "the type of the patron's category cannot be seen, or is statistical"),
    );
    return;
  }
  const availability = await takeStep(
    'availability',
    () => koha.availability(patron.patronId, itemId, { branch: branchOf(library) }),
    ({ blockers, confirms }) =>
      blockers.length === 0 && confirms.length === 0
        ? 'can be checked out'
        : [...blockers, ...confirms].slice(0, 10).join(' '),
  );
  steps.push(availability.step);
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
  return checkSight({
    visible: 'value' in sight ? sight.value : null,
    branches: 'value' in branches ? branches.value : null,
    about: about !== null && 'value' in about ? about.value : null,
  });
}

/**
 * Looks one card up at these libraries with the worker's own calls, and writes nothing: at each the card and the record by id; at lending
 * libraries also the home key, once one home record is found, and whether the item could be checked out.
 */
export async function probeCard(examinees: readonly Examinee[], probe: Probe): Promise<Probed[]> {
  const looked = await Promise.all(examinees.map((examinee) => look(examinee, probe)));
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
      if (isLending && probe.barcode !== null) await queryAvailability(one, probe.barcode);
      const findings = holds === 'nothing' ? await sightOf(examinee) : [];
      return { library, steps, holds, findings };
    }),
  );
}
