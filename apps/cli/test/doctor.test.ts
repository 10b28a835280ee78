import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble, SettingsChange } from '@passport/koha-double';
import { servicePermissions, startKohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import type { Finding } from '../src/doctor/finding.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

interface Diagnosis {
  readonly ok: boolean;
  readonly libraries: readonly { readonly id: string; readonly findings: readonly Finding[] }[];
}

let riverside: KohaDouble;
let midland: KohaDouble;

/** Two healthy Kohas; riverside lends, midland is home only. */
beforeEach(async () => {
  riverside = own(await startKohaDouble({ library: 'riverside', plugin: true }));
  midland = own(await startKohaDouble({ library: 'midland', plugin: false }));
});

const homeOnly = { webhook_secrets: [] };

async function examine(
  change: Readonly<Record<string, unknown>> = {},
  { args = [] as string[], now = Date.now, env = {} as NodeJS.ProcessEnv } = {},
) {
  const configured = consortiumOf([
    { ...riverside, change },
    { ...midland, change: homeOnly },
  ]);
  const ran = await passport(['doctor', '--json', ...args], { ...configured, ...env }, { now });
  const { libraries, ok } = jsonOf<Diagnosis>(ran);
  const found = (level: Finding['level']) =>
    libraries.flatMap(({ id, findings }) =>
      findings
        .filter((finding) => finding.level === level)
        .map(({ code, name }) => [id, code, name].filter((part) => part !== null).join(' ')),
    );
  return {
    code: ran.code,
    ok,
    faults: found('fault'),
    warnings: found('warning'),
    unchecked: found('unchecked'),
    libraries,
  };
}

test('a healthy consortium has no fault and no warning: exit code 0', async () => {
  const { code, ok, faults, warnings } = await examine();
  expect({ code, ok, faults, warnings }).toEqual({ code: 0, ok: true, faults: [], warnings: [] });
});

test.each(['23.11', '24.11', '25.11'] as const)('a healthy Koha %s has no fault', async (release) => {
  riverside.putSettings({ release });
  const { code, faults, warnings } = await examine();
  expect({ code, faults, warnings }).toEqual({ code: 0, faults: [], warnings: [] });
});

test('nothing is changed, and nothing is sent that could change something', async () => {
  const before = [JSON.stringify(riverside.state()), JSON.stringify(midland.state())];
  await examine();
  expect([JSON.stringify(riverside.state()), JSON.stringify(midland.state())]).toEqual(before);
  const written = [...riverside.calls(), ...midland.calls()].filter(
    ({ method, status }) => method !== 'GET' && Number(status) < 300,
  );
  expect(written.map(({ operation }) => operation)).toEqual(written.map(() => 'POST /oauth/token'));
});
