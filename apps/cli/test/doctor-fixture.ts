import {
  type KohaDouble,
  type SettingsChange,
  servicePermissions,
  startKohaDouble,
} from '@passport/koha-double';
import type { Finding } from '@passport/set-up';
import type { Closable } from '@passport/testkit';
import { startFakeReceiver } from './fake-receiver.ts';
import { consortiumOf, jsonOf, passport, webhookSecretOf } from './run-cli.ts';

/** What `doctor --json` prints. */
export interface Diagnosis {
  readonly ok: boolean;
  readonly service: { readonly findings: readonly Finding[] };
  readonly libraries: readonly {
    readonly id: string;
    readonly about: unknown;
    readonly reports: unknown;
    readonly findings: readonly Finding[];
  }[];
}

export type Change = SettingsChange & { readonly [key: string]: unknown };

export const homeOnly = { webhook_secrets: [] };
export const category = { patron_category_id: 'PT', name: 'Visiting patron' };

/** The API user without these permissions; `borrowers:1` without the whole area, but with the part that makes copies. */
export const without = (...lacking: string[]): Change => ({
  permissions: [...servicePermissions, 'borrowers:edit_borrowers'].filter((each) => !lacking.includes(each)),
});

/** Of the rights on patrons these alone, and all others. */
export const only = (...granted: string[]): Change => ({
  permissions: [
    ...servicePermissions.filter((each) => !each.startsWith('borrowers:')),
    ...granted.map((each) => `borrowers:${each}`),
  ],
});

/** What the set-up check of the plugin finds there. */
export const finds = (
  finding: string,
  level = 'fault',
  { name = null, figure = null }: { name?: string | null; figure?: number | null } = {},
): Change => ({ plugin_findings: [{ finding, level, name, figure }] });

/** Patrons enough at MAIN, and one more elsewhere. */
export function populate(double: KohaDouble): void {
  for (let number = 0; number < 25; number += 1) {
    const at = { library_id: number === 0 ? 'NORTH' : 'MAIN', category_id: 'AD' };
    double.putPatron(`2567800000${String(number).padStart(4, '0')}`, { surname: `Number ${number}`, ...at });
  }
}

/** Two healthy Kohas, and the receiver of their plugin: riverside is a lending library, midland a home library only. */
export async function startTwoKohas(own: <T extends Closable>(thing: T) => T) {
  const secret = webhookSecretOf('riverside');
  const receiver = own(await startFakeReceiver(secret));
  const webhook = { receiverUrl: receiver.url, secret };
  const riverside = own(await startKohaDouble({ library: 'riverside', webhook }));
  const midland = own(await startKohaDouble({ library: 'midland', plugin: false }));
  return { receiver, riverside, midland };
}

/** The settings of riverside's plugin, changed. */
export const pluginWith = (receiverUrl: string, change: Readonly<Record<string, unknown>>): Change => ({
  webhook: {
    receiver_url: receiverUrl,
    secret: webhookSecretOf('riverside'),
    library: 'riverside',
    patterns: [],
    staff_wait_ms: 0,
    self_check_wait_ms: 0,
    ...change,
  },
});

interface Examining {
  /** Laid over riverside's entry in the configuration. */
  readonly change?: Readonly<Record<string, unknown>>;
  /** The card patterns of midland. */
  readonly homeCards?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs `doctor --json` on both, and sorts what it says: `library code name`. */
export async function examine(
  { riverside, midland }: Readonly<Record<'riverside' | 'midland', KohaDouble>>,
  { change = {}, homeCards, args = [], env = {} }: Examining = {},
) {
  const configured = consortiumOf([
    { ...riverside, change },
    { ...midland, change: { ...homeOnly, ...(homeCards && { cards: homeCards }) } },
  ]);
  const ran = await passport(['doctor', '--json', ...args], { ...configured, ...env });
  const { libraries, service, ok } = jsonOf(ran) as Diagnosis;
  const found = (level: Finding['level']) =>
    [...libraries, { ...service, id: 'service' }].flatMap(({ id, findings }) =>
      findings
        .filter((finding) => finding.level === level)
        .map(({ code, name }) => [id, code, name].filter((part) => part !== null).join(' ')),
    );
  const [faults, warnings, unchecked] = [found('fault'), found('warning'), found('unchecked')];
  return { code: ran.code, ok, faults, warnings, unchecked, libraries, service };
}
