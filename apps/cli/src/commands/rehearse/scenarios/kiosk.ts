import { NotTried } from '../trial.ts';
import type { Scenario } from './scenario.ts';

/** What happens at a self-check that speaks SIP. */
export const KIOSK: readonly Scenario[] = [
  {
    id: 'sip',
    says: 'a card at a self-check by SIP that is unknown there at first: its copy borrows there, and returns',
    run: (stage) =>
      stage.atKiosk(async (kiosk) => {
        const { koha, library } = stage.lending;
        const prop = stage.takeProp();
        const actor = await stage.makeActor(stage.homeSite(), 'Kiosk');
        const { card } = actor;
        const first = await stage.scanAtKiosk(() => kiosk.patronInformation(card));
        if (library.copy.consent === null) stage.checkEnd(first.scanned, { outcome: 'COPIED' });
        else {
          // Nobody at a self-check can put the question: the desk does, once.
          stage.checkEnd(first.scanned, { outcome: 'CONSENT_AT_DESK' });
          stage.check('patron information before the desk: valid', first.answer.isValid, false);
          await stage.checkNobody(card);
          stage.checkEnd(await stage.scan(card), { outcome: 'COPIED' });
        }
        const [there] = await stage.look(stage.lending, card);
        const copy = await stage.checkCopy(actor, there?.patronId ?? null);
        const again = await kiosk.patronInformation(card);
        stage.check('patron information: valid', again.isValid, true);
        stage.check('patron information: blocked', again.isBlocked, false);
        stage.check('checkout: ok', (await kiosk.checkOut(card, prop.barcode)).isOk, true);
        const checkedOut = await koha.findCheckout(copy.patronId, prop.itemId);
        stage.check('the checkout, read back', checkedOut !== null, true);
        const returned = await kiosk.checkIn(prop.barcode);
        stage.check('checkin: ok', returned.isOk, true);
        if (!returned.isOk) await stage.checkIn(prop);
        const left = await koha.findCheckout(copy.patronId, prop.itemId);
        stage.check('the checkout after the checkin', left, null);
      }),
  },
  {
    id: 'sip_refused',
    says: 'a patron at a self-check by SIP who is not eligible: stays unknown there, and borrows nothing',
    run: (stage) =>
      stage.atKiosk(async (kiosk) => {
        const { eligibility } = stage.lending.library;
        if (eligibility.expired === 'allow')
          throw new NotTried('this installation does not refuse it (eligibility.expired)');
        const prop = stage.takeProp();
        const { card } = await stage.makeActor(stage.homeSite(), 'Refused', { expiry_date: '2020-01-31' });
        const outcome = { outcome: 'NOT_ELIGIBLE', reasons: eligibility.showReasons ? ['EXPIRED'] : [] };
        const shown = await stage.scanAtKiosk(() => kiosk.patronInformation(card));
        stage.checkEnd(shown.scanned, outcome);
        stage.check('patron information: valid', shown.answer.isValid, false);
        const asked = await stage.scanAtKiosk(() => kiosk.checkOut(card, prop.barcode));
        stage.checkEnd(asked.scanned, outcome);
        stage.check('checkout: ok', asked.answer.isOk, false);
        await stage.checkNobody(card);
      }),
  },
];
