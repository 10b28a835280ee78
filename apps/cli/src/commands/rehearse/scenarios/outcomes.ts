import { copyCategoriesOf, decideCandidates, homeKeyOf } from '@passport/patron-rules';
import { MARK } from '../site.ts';
import { Differs, NotTried } from '../trial.ts';
import type { Scenario } from './scenario.ts';

/** How a scan can end. */
export const OUTCOMES: readonly Scenario[] = [
  {
    id: 'copy',
    says: 'a card that the lending library does not know: the patron is found at home and copied',
    run: async (stage) => void (await stage.makeCopy('Copied')),
  },
  {
    id: 'checkout',
    says: 'with an item: it is checked out to the copy, and can be checked in',
    async run(stage) {
      const { lending } = stage;
      const prop = stage.takeProp();
      const actor = await stage.makeActor(stage.homeSite(), 'Borrower');
      const scanned = await stage.scan(actor.card, { prop });
      stage.checkEnd(scanned, { outcome: 'COPIED', checkout: 'CHECKED_OUT' });
      const { patronId } = await stage.checkCopy(actor, scanned.state?.patron_id ?? null);
      const found = await lending.koha.findItem(prop.barcode);
      stage.check('the item, by its barcode', found?.itemId, prop.itemId);
      const checkout = await lending.koha.findCheckout(patronId, prop.itemId);
      stage.check('the checkout, read back', checkout !== null, true);
      await stage.checkIn(prop);
      stage.check(
        'the checkout after the check-in',
        await lending.koha.findCheckout(patronId, prop.itemId),
        null,
      );
      const how = { branch: lending.branch };
      const { blockers, confirms } = await lending.koha.availability(patronId, prop.itemId, how);
      stage.check('what keeps the item from being borrowed again', [...blockers, ...confirms].join(' '), '');
    },
  },
  {
    id: 'already_here',
    says: 'the same card again: the copy is found, and the checkout too',
    async run(stage) {
      const prop = stage.takeProp();
      const actor = await stage.makeActor(stage.homeSite(), 'Again');
      const first = await stage.scan(actor.card, { prop });
      stage.checkEnd(first, { outcome: 'COPIED', checkout: 'CHECKED_OUT' });
      const again = await stage.scan(actor.card, { prop });
      stage.checkEnd(again, { outcome: 'ALREADY_LOCAL', checkout: 'ALREADY_CHECKED_OUT' });
      stage.check('the patron', again.state?.patron_id, first.state?.patron_id);
      await stage.checkCopy(actor, again.state?.patron_id ?? null);
      await stage.checkIn(prop);
    },
  },
  {
    id: 'not_found',
    says: 'a card that nobody has: nothing is made',
    async run(stage) {
      const card = stage.newCard();
      stage.checkEnd(await stage.scan(card), { outcome: 'NOT_FOUND' });
      await stage.checkNobody(card);
    },
  },
  {
    id: 'two_homes',
    says: 'a card that two home libraries have: nobody is copied',
    async run(stage) {
      const second = stage.secondHomeSite();
      const isAsked = decideCandidates(stage.consortium, stage.lending.library.id, stage.newCard()).some(
        ({ home }) => home === second.library,
      );
      if (!isAsked)
        throw new NotTried(`${second.library.id} is not queried for cards of this format (cards)`);
      const one = await stage.makeActor(stage.homeSite(), 'Double');
      await stage.makeActor(second, 'Double', { cardnumber: one.card });
      stage.checkEnd(await stage.scan(one.card), { outcome: 'AMBIGUOUS_HOME' });
      await stage.checkNobody(one.card);
    },
  },
  {
    id: 'replaced_card',
    says: 'a new card at home: the copy is found by its home key and gets it',
    async run(stage) {
      if (stage.lending.library.copy.homeKeyAttribute === null)
        throw new NotTried('the lending library writes no home keys');
      const { actor, copy } = await stage.makeCopy('Replaced');
      const card = stage.newCard();
      const { site } = actor;
      await stage.journal.note({ kind: 'patron', library: site.library.id, card, category: MARK });
      const body = { surname: stage.mark, library_id: site.branch, category_id: MARK, cardnumber: card };
      const changed = await site.koha.changePatron(actor.patronId, body, { branch: site.branch });
      if (changed.kind !== 'changed')
        throw new Differs(`${site.library.id} changes no card: ${changed.kind}`);
      const again = await stage.scan(card);
      stage.checkEnd(again, { outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
      const now = await stage.checkCopy(actor, again.state?.patron_id ?? null, card);
      stage.check('number of the copy', now.patronId, copy.patronId);
      await stage.checkNobody(actor.card);
    },
  },
  {
    id: 'merged_at_home',
    says: 'home merged two records of a patron: the copy gets the number that is left',
    async run(stage) {
      if (stage.lending.library.copy.homeKeyAttribute === null)
        throw new NotTried('the lending library writes no home keys');
      const { actor, copy } = await stage.makeCopy('Merged');
      const gone = await actor.site.koha.removePatron(actor.patronId);
      stage.check(`deletion at ${actor.site.library.id}`, gone.kind, 'removed');
      const kept = await stage.makeActor(actor.site, 'Merged', { cardnumber: actor.card });
      const again = await stage.scan(actor.card);
      stage.checkEnd(again, { outcome: 'ALREADY_LOCAL', reasons: ['REKEYED'] });
      const now = await stage.checkCopy(kept, again.state?.patron_id ?? null);
      stage.check('number of the copy', now.patronId, copy.patronId);
    },
  },
  {
    id: 'merged_here',
    says: "the copy was merged into the library's own patron: that record is left alone",
    async run(stage) {
      const { copy: policy, id } = stage.lending.library;
      if (policy.homeKeyAttribute === null) throw new NotTried('the lending library writes no home keys');
      if (copyCategoriesOf(policy).includes(MARK)) throw new NotTried(`copies are in the category ${MARK}`);
      const away = await stage.makeActor(stage.homeSite(), 'Both');
      // What Koha's merge leaves: its own patron, with the passport and the home key of the copy.
      const native = await stage.makeActor(stage.lending, 'Own');
      const home = away.site.library.id;
      for (const [type, value] of [
        [policy.passportAttribute, home],
        [policy.homeKeyAttribute, homeKeyOf(home, away.patronId)],
      ] as const) {
        const added = await stage.lending.koha.addAttribute(native.patronId, { type, value });
        if (added.kind !== 'added') throw new Differs(`${id} adds no attribute ${type}: ${added.kind}`);
      }
      const scanned = await stage.scan(away.card);
      stage.checkEnd(scanned, { outcome: 'MERGED_INTO_NATIVE' });
      stage.check('the patron', scanned.state?.patron_id, native.patronId);
      const [unchanged] = await stage.look(stage.lending, native.card);
      stage.check('the own patron keeps the category', unchanged?.categoryId, MARK);
      await stage.checkNobody(away.card);
    },
  },
  {
    id: 'look_alike',
    says: 'somebody of the same name and birth date is there: what the configuration says is done',
    async run(stage) {
      const { library, koha } = stage.lending;
      const person = { date_of_birth: '1975-04-01' };
      const away = await stage.makeActor(stage.homeSite(), 'Twin', person);
      await stage.makeActor(stage.lending, 'Twin', person);
      const { confirmNotDuplicate } = await koha.capabilities();
      const { onLookAlike } = library.copy;
      const stops = onLookAlike === 'stop' || (onLookAlike === 'koha' && confirmNotDuplicate);
      const scanned = await stage.scan(away.card);
      stage.checkEnd(scanned, { outcome: stops ? 'LOOKS_LIKE_LOCAL_PATRON' : 'COPIED' });
      if (stops) await stage.checkNobody(away.card);
      else await stage.checkCopy(away, scanned.state?.patron_id ?? null);
    },
  },
  {
    id: 'card_of_another',
    says: "the new card is one of the library's own patrons': nobody is changed",
    async run(stage) {
      if (stage.lending.library.copy.homeKeyAttribute === null)
        throw new NotTried('the lending library writes no home keys');
      const { actor, copy } = await stage.makeCopy('Mixed');
      const native = await stage.makeActor(stage.lending, 'Holder');
      const { site } = actor;
      await stage.journal.note({
        kind: 'patron',
        library: site.library.id,
        card: native.card,
        category: MARK,
      });
      const body = {
        surname: stage.mark,
        library_id: site.branch,
        category_id: MARK,
        cardnumber: native.card,
      };
      await site.koha.changePatron(actor.patronId, body, { branch: site.branch });
      stage.checkEnd(await stage.scan(native.card), { outcome: 'LOCAL_CONFLICT' });
      const [still] = await stage.look(stage.lending, actor.card);
      stage.check('the copy keeps its card', still?.patronId, copy.patronId);
    },
  },
  {
    id: 'cancel',
    says: 'a scan that was cancelled: nothing is made',
    async run(stage) {
      const actor = await stage.makeActor(stage.homeSite(), 'Cancelled');
      stage.checkEnd(await stage.scan(actor.card, { cancelFirst: true }), { outcome: 'CANCELLED' });
      await stage.checkNobody(actor.card);
    },
  },
  {
    id: 'consent_refused',
    says: 'the patron says no to the question of consent: nothing is made',
    async run(stage) {
      if (stage.lending.library.copy.consent === null)
        throw new NotTried('this installation has consent off (copy.consent)');
      const actor = await stage.makeActor(stage.homeSite(), 'Unwilling');
      stage.checkEnd(await stage.scan(actor.card, { answer: 'no' }), { outcome: 'CONSENT_REFUSED' });
      await stage.checkNobody(actor.card);
    },
  },
];
