import { servicePermissions, type KohaDoubleOptions, type Release } from '@passport/koha-double';
import { REMEMBERED_SOON } from '@passport/testkit';
import { runPassport } from './run-passport.ts';
import { type Consortium, startConsortium } from './start-consortium.ts';

const LIBRARIES = ['riverside', 'midland', 'lakeside'] as const;
export type Rehearsed = (typeof LIBRARIES)[number];

/** The categories of a Koha that is marked for rehearsals; `CH` is left out by the agreements. */
export const CATEGORIES = [
  { patron_category_id: 'AD' },
  { patron_category_id: 'CH' },
  { patron_category_id: 'PT' },
  { patron_category_id: 'STAFF', category_type: 'S' },
  { patron_category_id: 'REHEARSAL' },
] as const;

/** What the service's user may do beside its work while a rehearsal runs (docs/rehearsal.md). */
export const REHEARSAL_PERMISSIONS = [
  ...servicePermissions,
  'editcatalogue:edit_catalogue',
  'updatecharges:remaining_permissions',
];

const CONSENT = { consent: 'ask', consent_text: { id: '2026-11', text: 'May we copy your record?' } };

/** What a rehearsal reports with `--json`, as far as tests look at it. */
export interface RehearsalReport {
  readonly ok: boolean;
  readonly scenarios: readonly {
    readonly id: string;
    readonly result: string;
    readonly differences: readonly string[];
    readonly why: string | null;
  }[];
  readonly answers: readonly {
    readonly side: string;
    readonly scenario: string | null;
    readonly text: string;
  }[];
  readonly cleanUp: { readonly removed: number; readonly leftAlone: string[]; readonly stuck: string[] };
  readonly answered: {
    readonly scenarios: Readonly<Record<string, unknown>>;
    readonly parts: Readonly<Record<string, unknown>>;
  };
}

/** A consortium in which everything can be rehearsed: Kohas of one release, marked, with everything on. */
export async function startRehearsal(
  release: Release,
  { onCall }: Pick<KohaDoubleOptions, 'onCall'> = {},
): Promise<Consortium<Rehearsed>> {
  const koha = {
    release,
    settings: { categories: CATEGORIES, permissions: REHEARSAL_PERMISSIONS },
    ...(onCall === undefined ? {} : { onCall }),
  };
  const agreement = (home: Rehearsed) => ({ home, lending: 'riverside', categories: { except: ['CH'] } });
  return startConsortium({
    libraries: {
      riverside: {
        koha,
        cards: ['^25678\\d{9}$'],
        entry: {
          copy: CONSENT,
          refresh: { at_scan: true },
          eligibility: { max_debt: 25, min_age: 12 },
        },
      },
      midland: { koha, cards: ['^21234\\d{9}$'], reports: false },
      lakeside: { koha, reports: false },
    },
    keys: { agreements: [agreement('midland'), agreement('lakeside')] },
    env: REMEMBERED_SOON,
  });
}

/** The arguments of a rehearsal at these three. */
export const REHEARSE = [
  'rehearse',
  '--at',
  'riverside',
  '--home',
  'midland',
  '--second-home',
  'lakeside',
  '--card-format',
  '21234#########',
  '--for',
  '20s',
] as const;

export const CONFIRM = ['--confirm', 'riverside midland lakeside'] as const;

/** Environment of the command against these services. */
export const rehearsalEnv = ({ services }: Consortium<Rehearsed>): Readonly<Record<string, string>> => ({
  ...services.env,
  PASSPORT_RECEIVER: services.receivers[0]?.url ?? '',
});

/** Runs a rehearsal to its end, and reads its report. */
export async function rehearse(
  consortium: Consortium<Rehearsed>,
  more: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly report: RehearsalReport; readonly err: string }> {
  const args = [...REHEARSE, ...CONFIRM, '--json', ...more];
  const { code, out, err } = await runPassport(args, { env: rehearsalEnv(consortium) });
  if (!out.startsWith('{')) throw new Error(`no report, exit code ${code}: ${err}`);
  return { code, report: JSON.parse(out) as RehearsalReport, err };
}

/** Whatever is at the Kohas beside the service's user: nothing, once a rehearsal has ended. */
export const leftOver = ({ doubles }: Consortium<Rehearsed>): string[] =>
  LIBRARIES.flatMap((id) => {
    const { patrons, items, biblios, checkouts } = doubles[id].state();
    return [
      ...patrons
        .filter(({ cardnumber }) => cardnumber !== 'PASSPORT-SERVICE')
        .map((patron) => `${id} patron ${patron.cardnumber} ${patron.surname} ${patron.category_id}`),
      ...items.map(({ external_id: barcode }) => `${id} item ${barcode}`),
      ...biblios.map(({ title }) => `${id} biblio ${title}`),
      ...checkouts.map(({ external_id: barcode }) => `${id} checkout ${barcode}`),
    ];
  });
