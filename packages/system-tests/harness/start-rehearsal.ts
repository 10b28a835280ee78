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

/** The account of the self-check in the SIP server of the lending library's Koha. */
const KIOSK = { user: 'kiosk', password: 'only in the environment', institution: 'MAIN' };

const CONSENT = { consent: 'ask', consent_text: { id: '2026-11', text: 'May we copy your record?' } };

/** What a rehearsal reports with `--json`, as far as tests look at it. */
export interface RehearsalReport {
  readonly ok: boolean;
  readonly scenarios: readonly {
    readonly id: string;
    readonly result: string;
    readonly differences: readonly string[];
    readonly remarks: readonly string[];
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

/** A consortium in which everything can be rehearsed: Kohas of one release, marked, with everything on. `asks`: for consent, by default. */
export async function startRehearsal(
  release: Release,
  { onCall, asks = true }: Pick<KohaDoubleOptions, 'onCall'> & { readonly asks?: boolean } = {},
): Promise<Consortium<Rehearsed>> {
  const koha = {
    release,
    settings: { categories: CATEGORIES, permissions: REHEARSAL_PERMISSIONS },
    ...(onCall === undefined ? {} : { onCall }),
  };
  const agreement = (home: Rehearsed) => ({ home, lending: 'riverside', categories: { except: ['CH'] } });
  const consortium = await startConsortium({
    libraries: {
      riverside: {
        koha: { ...koha, sip: KIOSK },
        cards: ['^25678\\d{9}$'],
        entry: {
          copy: asks ? CONSENT : {},
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
  setReporting(consortium);
  return consortium;
}

/** Sets up what the plugin of the lending library reports; `sip`: the SIP accounts that its configuration page names. */
export function setReporting(
  { doubles, services, secrets }: Consortium<Rehearsed>,
  sip: readonly string[] = [KIOSK.user],
): void {
  doubles.riverside.putSettings({
    webhook: {
      receiver_url: services.receivers[0]?.url ?? '',
      secret: secrets.riverside,
      library: 'riverside',
      patterns: ['^\\d{14}$'],
      staff_wait_ms: 1_500,
      self_check_wait_ms: 3_000,
      sip,
    },
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

/** What makes the rehearsal a self-check, too. */
export const atKiosk = ({ doubles }: Consortium<Rehearsed>): readonly string[] => [
  `--sip=127.0.0.1:${doubles.riverside.sipPort}`,
  `--sip-user=${KIOSK.user}`,
];

export const CONFIRM = ['--confirm', 'riverside midland lakeside'] as const;

/** Environment of the command against these services. */
export const rehearsalEnv = ({ services }: Consortium<Rehearsed>): Readonly<Record<string, string>> => ({
  ...services.env,
  PASSPORT_RECEIVER: services.receivers[0]?.url ?? '',
  PASSPORT_SIP_PASSWORD: KIOSK.password,
});

/** Runs a rehearsal to its end, and reads its report. */
export async function rehearse(
  consortium: Consortium<Rehearsed>,
  more: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly report: RehearsalReport; readonly err: string }> {
  const args = [...REHEARSE, ...atKiosk(consortium), ...CONFIRM, '--json', ...more];
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
      ...doubles[id]
        .settings()
        .circulation_rules.filter(({ item_type_id: itemType }) => itemType !== '*')
        .map(({ rule, item_type_id: itemType }) => `${id} rule ${rule} ${itemType}`),
    ];
  });
