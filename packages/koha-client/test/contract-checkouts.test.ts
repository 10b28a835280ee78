import { describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import { CARD, at, plain, testThatRequestsFit, useContractBench } from './contract-bench.ts';

const outcomeState = (eventId: string) => ({
  event_id: eventId,
  library: 'riverside',
  seq: 1,
  state: 'done',
  outcome: 'COPIED',
  reasons: [],
  homes: [{ id: 'midland', name: 'Midland Public Library' }],
  libraries: [{ id: 'midland', name: 'Midland Public Library' }],
  patron_id: 5,
  checkout: null,
  waiting_for: null,
  problem: null,
  attempt: 1,
  message: 'Found at Midland Public Library. You can check out now.',
  scanned_at: '2026-11-25T09:00:00.000+00:00',
  updated_at: '2026-11-25T09:00:01.000Z',
});

describe.each(testedReleases)('checkouts and set-up of a Koha %s', (release) => {
  const bench = useContractBench(release);

  describe('checking out', () => {
    const BARCODE = '39999000012345';

    test('takes the fewest calls the release allows', async () => {
      const patronId = await bench.created();
      bench.koha.putItem(BARCODE, {});
      bench.koha.clearCalls();
      const result = await bench.client.checkOut({ patronId, barcode: BARCODE }, { branch: 'NORTH' });
      expect(result.kind).toBe('checked_out');
      expect(bench.calls()).toEqual(
        !isFrom(release, '24.11') ? ['GET /items', 'POST /checkouts'] : ['POST /checkouts'],
      );
      expect(bench.koha.state(CARD).checkouts).toMatchObject([{ external_id: BARCODE, library_id: 'NORTH' }]);
    });

    test('finds the checkout that was made', async () => {
      const patronId = await bench.created();
      const item = bench.koha.putItem(BARCODE, {});
      expect(await bench.client.findItem(BARCODE)).toEqual({
        itemId: item.item_id,
        biblioId: item.biblio_id,
      });
      const checkedOut = await bench.client.checkOut(
        { patronId, barcode: BARCODE, itemId: item.item_id },
        at,
      );
      expect(await bench.client.findCheckout(patronId, item.item_id)).toEqual({
        checkoutId: checkedOut.kind === 'checked_out' ? checkedOut.checkoutId : null,
      });
    });

    test('recognizes an unknown item and an unknown patron', async () => {
      const patronId = await bench.created();
      bench.koha.putItem(BARCODE, {});
      expect(await bench.client.checkOut({ patronId, barcode: 'NOPE' }, at)).toEqual({
        kind: 'item_not_found',
      });
      expect(await bench.client.checkOut({ patronId: 4_711, barcode: BARCODE }, at)).toEqual({
        kind: 'patron_not_found',
      });
    });

    test('recognizes what stands in the way, before and at the checkout', async () => {
      const patronId = await bench.created({ patron_card_lost: true });
      const { item_id: itemId } = bench.koha.putItem(BARCODE, {});
      const answer = await bench.client.availability(patronId, itemId, at);
      expect(answer.blockers).toContain('CARD_LOST');
      const result = await bench.client.checkOut({ patronId, barcode: BARCODE }, at);
      expect(result).toMatchObject({ kind: 'blocked', keys: expect.arrayContaining(['CARD_LOST']) });
    });

    test('can confirm what Koha wants confirmed, and sees nothing of the other patron', async () => {
      const patronId = await bench.created();
      const otherId = await bench.created({
        cardnumber: 'OTHER1',
        surname: 'Planted',
        extended_attributes: [],
      });
      const { item_id: itemId } = bench.koha.putItem(BARCODE, {});
      await bench.client.checkOut({ patronId: otherId, barcode: BARCODE }, at);
      expect(await bench.client.checkOut({ patronId, barcode: BARCODE }, at)).toEqual({
        kind: 'needs_confirmation',
      });
      const answer = await bench.client.availability(patronId, itemId, at);
      expect(answer.confirms).toEqual(['ISSUED_TO_ANOTHER']);
      expect(JSON.stringify(answer)).not.toMatch(/Planted|OTHER1/);
      const confirmation = answer.token ?? '';
      expect(
        (await bench.client.checkOut({ patronId, barcode: BARCODE, itemId, confirmation }, at)).kind,
      ).toBe('checked_out');
    });

    test('without the permission is no blocker', async () => {
      const patronId = await bench.created();
      bench.koha.putItem(BARCODE, {});
      bench.koha.putSettings({ permissions: ['borrowers:1', 'catalogue:1'] });
      await expect(bench.client.checkOut({ patronId, barcode: BARCODE }, at)).rejects.toMatchObject({
        code: 'permission',
        permission: 'circulate: circulate_remaining_permissions',
      });
    });
  });

  describe('the service’s place in Koha', () => {
    test('is renewed by itself when Koha forgets the token', async () => {
      bench.koha.putPatron(CARD, { surname: 'Okafor' });
      await bench.client.findByCard(CARD, plain);
      bench.koha.revokeTokens();
      expect(await bench.client.findByCard(CARD, plain)).toHaveLength(1);
      expect(bench.koha.calls().map(({ operation, status }) => `${operation} ${status}`)).toEqual([
        'POST /oauth/token 200',
        'GET /patrons 200',
        'GET /patrons 401',
        'POST /oauth/token 200',
        'GET /patrons 200',
      ]);
    });

    test.each([{ clientSecret: 'wrong' }, { clientId: 'wrong' }])('is refused with %j', async (wrong) => {
      const stranger = bench.connect(wrong);
      await expect(stranger.findByCard(CARD, plain)).rejects.toMatchObject({ code: 'credentials' });
      stranger.close();
    });

    test('is known by the release’s own description', async () => {
      const { patronProperties, ...others } = await bench.client.capabilities();
      expect(others).toEqual({
        externalIdCheckout: isFrom(release, '24.11'),
        welcomeNo: true,
        opacRegNo: isFrom(release, '26.05'),
        checkoutAvailability: true,
        confirmNotDuplicate: isFrom(release, '25.11'),
        pluginRoutes: true,
        patronCategories: isFrom(release, '24.05'),
        circulationRules: isFrom(release, '24.11'),
        setsCirculationRules: isFrom(release, '25.05'),
      });
      expect(patronProperties.has('preferred_name')).toBe(isFrom(release, '24.11'));
      expect(patronProperties.has('surname')).toBe(true);
    });

    test('can be looked over by doctor without changing anything', async () => {
      await bench.created();
      const before = JSON.stringify(bench.koha.state());
      expect((await bench.client.branches()).map(({ branch }) => branch)).toEqual(['MAIN', 'NORTH']);
      if (isFrom(release, '24.05')) {
        const categories = await bench.client.categories();
        expect(categories.map(({ category }) => category)).toContain('PT');
      }
      if (isFrom(release, '24.11')) {
        const rules = await bench.client.storedRules('maxissueqty');
        expect(rules.map(({ category, value }) => [category, value])).toContainEqual(['PT', '20']);
      }
      const patronId = (await bench.client.visiblePatrons()).patronId ?? 0;
      expect(await bench.client.readPatron(patronId)).toMatchObject({ patronId });
      expect(await bench.client.probeAttributeTypeByRefusal(patronId, 'PASSPORTED')).toBe(true);
      expect(await bench.client.probeAttributeTypeByRefusal(patronId, 'NOPE')).toBe(false);
      expect(await bench.client.reach()).toMatchObject({ kind: 'koha' });
      expect(JSON.stringify(bench.koha.state())).toBe(before);
    });

    test('reports outcomes to the plugin and reads what it says', async () => {
      await bench.client.reportOutcome('msg_1', outcomeState('msg_1'));
      expect(bench.koha.state().outcomes).toMatchObject([{ event_id: 'msg_1' }]);
      const about = await bench.client.about();
      expect(about.attribute_types).toContainEqual({ code: 'PASSPORTED_ID' });
      expect(await bench.client.checkPlugin('n'.repeat(22))).toMatchObject({
        proof: null,
        secret_from: 'nowhere',
        serves: { staff: true },
        findings: [],
      });
    });

    test('has no plugin where none is installed', async () => {
      bench.koha.putSettings({ plugin: false });
      await expect(bench.client.about()).rejects.toMatchObject({ code: 'unexpected_status', status: 404 });
      expect((await bench.client.capabilities()).pluginRoutes).toBe(false);
    });
  });

  testThatRequestsFit(bench, []);
});
