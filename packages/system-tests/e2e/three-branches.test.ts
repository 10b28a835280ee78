import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { servicePermissions } from '@passport/koha-double';
import { registerPatron } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';

const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';
const HOME_PERMISSIONS = ['borrowers:list_borrowers', 'catalogue:1'];
const BRANCHES = ['MAIN', 'NORTH', 'SOUTH'];

let consortium: Consortium<'home' | 'lending'>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: { home: { cards: ['^21234\\d{9}$'], reports: false }, lending: { cards: ['^25678\\d{9}$'] } },
  });
  const { home } = consortium.doubles;
  home.putSettings({
    release: '24.11',
    libraries: BRANCHES.map((code) => ({ library_id: code, name: `${code} branch` })),
  });
  for (let number = 0; number < 25; number += 1) registerPatron(home);
}, 60_000);
afterAll(() => consortium?.stop());

/** A patron of one of the home library's branches, scanned elsewhere; the service's user is of MAIN. */
async function scanOneOf(branch: string) {
  const card = registerPatron(consortium.doubles.home, { columns: { library_id: branch } });
  const desk = consortium.at('lending');
  const state = await desk.follow((await desk.scan({ cardnumber: card, item_barcode: null })).eventId);
  return { card, state };
}

interface Diagnosis {
  readonly libraries: readonly {
    findings: readonly { level: string; code: string; name: string; remedy: string }[];
  }[];
}

async function faultsAt(library: string, env: Readonly<Record<string, string>>) {
  const { out } = await runPassport(['doctor', library, '--json'], { env });
  const { libraries } = JSON.parse(out) as Diagnosis;
  return libraries.flatMap(({ findings }) => findings.filter(({ level }) => level === 'fault'));
}

describe('at a home with three branches, with an API user of one of them', () => {
  test.each([
    ['what a home needs', [...HOME_PERMISSIONS, SEE_ALL.replace(': ', ':')]],
    ['all that the set-up page names', servicePermissions],
  ])(
    'that may see patrons of any library (%s), patrons of every branch are found',
    async (_what, permissions) => {
      const { services, doubles } = consortium;
      doubles.home.putSettings({ permissions });
      const scans = await Promise.all(BRANCHES.map((branch) => scanOneOf(branch)));
      for (const { card, state } of scans) {
        expect(state).toMatchObject({ outcome: 'COPIED', homes: [{ id: 'home' }] });
        expect(doubles.lending.state(card).patrons).toHaveLength(1);
      }
      expect(await faultsAt('home', services.env)).toEqual([]);
    },
  );

  test('that may not, the desk hears that nobody knows the card, and doctor and its probe name the permission', async () => {
    const { services, doubles } = consortium;
    doubles.home.putSettings({ permissions: HOME_PERMISSIONS });
    const { card, state } = await scanOneOf('NORTH');
    expect(state).toMatchObject({ outcome: 'NOT_FOUND', homes: [] });
    expect((await scanOneOf('SOUTH')).state).toMatchObject({ outcome: 'NOT_FOUND' });
    expect((await scanOneOf('MAIN')).state).toMatchObject({ outcome: 'COPIED' });
    const hidden = {
      code: 'patrons_hidden',
      name: SEE_ALL,
      remedy: expect.stringContaining(`check "${SEE_ALL}"`),
    };
    expect(await faultsAt('home', services.env)).toEqual([expect.objectContaining(hidden)]);
    const probed = await runPassport(['doctor', 'home', '--probe', '-', '--json'], {
      env: services.env,
      input: `${card}\n`,
    });
    expect(probed.code).toBe(1);
    expect(JSON.parse(probed.out)).toMatchObject({
      libraries: [{ id: 'home', holds: 'nothing', findings: [hidden] }],
    });
    expect(`${probed.out}${probed.err}`).not.toContain(card);
  });

  test('under IndependentBranches no permission helps, and doctor names the preference', async () => {
    const { services, doubles } = consortium;
    doubles.home.putSettings({ permissions: servicePermissions, IndependentBranches: '1' });
    const { state } = await scanOneOf('SOUTH');
    expect(state).toMatchObject({ outcome: 'NOT_FOUND' });
    expect(await faultsAt('home', services.env)).toContainEqual(
      expect.objectContaining({
        code: 'patrons_hidden',
        name: 'IndependentBranches',
        remedy: expect.stringContaining('IndependentBranches: No'),
      }),
    );
  });
});
