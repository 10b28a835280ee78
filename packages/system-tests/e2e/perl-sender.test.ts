import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { registerPatron } from '../harness/people.ts';
import { canPlayPerlPage, playPerlPage, type PageEnd } from '../harness/perl-page.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries>;

/** Scans a card at riverside's Koha, played by the plugin's own Perl over riverside's patrons. */
function scan(card: string, env: Readonly<Record<string, string>> = {}): Promise<PageEnd> {
  return playPerlPage({
    PASSPORT_RECEIVER_URL: consortium.services.receivers[0]?.url ?? '',
    PASSPORT_LIBRARY: 'riverside',
    PASSPORT_SECRET: consortium.secrets.riverside,
    PASSPORT_KOHA_URL: consortium.doubles.riverside.url,
    PASSPORT_WAIT_MS: '4000',
    PASSPORT_CARD: card,
    ...env,
  });
}

(canPlayPerlPage() ? describe : describe.skip)(
  "the plugin's Perl sender against the real receiver and worker",
  () => {
    beforeAll(async () => {
      consortium = await startConsortium({ libraries: threeLibraries });
    }, 60_000);
    afterAll(() => consortium?.stop(), 60_000);

    test.each(['staff', 'self_check', 'sip'])(
      'T-05 a card of midland scanned at %s is copied while the page waits, and the page finds the patron',
      async (place) => {
        const { midland, riverside } = consortium.doubles;
        const card = registerPatron(midland);
        const end = await scan(card, { PASSPORT_INTERFACE: place });
        expect(end.page).toMatch(/^(?:circulation\.pl\?)?borrowernumber=1$/);
        expect(end.warnings).toEqual([]);
        expect(riverside.state(card).patrons).toMatchObject([{ cardnumber: card, category_id: 'PT' }]);
        expect(await consortium.at('riverside').state(end.event_id ?? '')).toMatchObject({
          state: 'done',
          outcome: 'COPIED',
          checkout: { result: 'NOT_ASKED' },
        });
      },
      30_000,
    );

    test('a branch other than MAIN is where the copy is made', async () => {
      const { midland, riverside } = consortium.doubles;
      const card = registerPatron(midland);
      await scan(card, { PASSPORT_BRANCH: 'NORTH' });
      expect(riverside.state(card).patrons).toMatchObject([{ library_id: 'NORTH' }]);
    }, 30_000);

    test('a card that nobody has is reported, and Koha goes on as always', async () => {
      const end = await scan('21234599999999', { PASSPORT_WAIT_MS: '200' });
      expect(end.page).toBe('member.pl?circsearch=1');
      await consortium.at('riverside').follow(end.event_id ?? '');
      expect(await consortium.at('riverside').state(end.event_id ?? '')).toMatchObject({
        outcome: 'NOT_FOUND',
      });
    }, 30_000);

    test('T-04 a name is not sent at all', async () => {
      expect(await scan('Smith')).toMatchObject({ event_id: null, warnings: [] });
    }, 30_000);

    test('T-32 a secret that the receiver does not have is refused, and no log on either side has the card', async () => {
      const card = registerPatron(consortium.doubles.midland);
      const end = await scan(card, { PASSPORT_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' });
      expect(end).toMatchObject({ page: 'member.pl?circsearch=1', event_id: null });
      expect(end.warnings).toEqual([expect.stringMatching(/^Patron Passport: .* \(status 401\)/)]);
      expect(end.ms).toBeLessThan(2_000);
      expect(JSON.stringify(end)).not.toContain(card);
      expect(await consortium.services.logs()).not.toContain(card);
    }, 30_000);
  },
);
