import type { EligibilityReason } from '@passport/contract';
import { passesCategoryFilter } from '@passport/patron-rules';
import { localDay } from '../../../program/index.ts';
import { MARK } from '../site.ts';
import type { Actor, Stage } from '../stage.ts';
import { Differs, NotTried } from '../trial.ts';
import type { Scenario } from './scenario.ts';

const OFF = (key: string): NotTried => new NotTried(`this installation does not refuse it (${key})`);

/** A refusal: whom it is made with, and that nobody is copied. */
const refusal = (
  reason: EligibilityReason,
  who: string,
  make: (stage: Stage) => Promise<Actor>,
): Scenario => ({
  id: `refused_${reason.toLowerCase()}`,
  says: `a patron ${who}: not eligible, and nobody is copied`,
  async run(stage) {
    const { showReasons } = stage.lending.library.eligibility;
    const actor = await make(stage);
    const reasons = showReasons ? [reason] : [];
    stage.checkEnd(await stage.scan(actor.card), { outcome: 'NOT_ELIGIBLE', reasons });
    await stage.checkNobody(actor.card);
  },
});

/** A category at home that the agreement does not cover. */
async function refusedCategory(stage: Stage): Promise<string> {
  const home = stage.homeSite();
  const { consortium } = stage;
  const agreement = consortium.agreements
    .among(stage.lending.library.id, (id) => id === home.library.id)
    .at(0);
  const filter = agreement?.categories ?? { kind: 'all' as const };
  if (filter.kind === 'all') throw new NotTried('the agreement covers all categories');
  if (!(await home.koha.capabilities()).patronCategories)
    throw new NotTried(`the API of ${home.library.id} lists no categories`);
  const there = await home.koha.categories();
  const { share } = home.library;
  const found = there.find(
    ({ category, type }) =>
      type !== 'X' &&
      passesCategoryFilter(filter, category) === false &&
      passesCategoryFilter(share.categories, category) === true,
  );
  if (found === undefined) throw new NotTried('home shares no category that the agreement leaves out');
  return found.category;
}

/** Each reason for which a lending library refuses a patron. */
export const REFUSALS: readonly Scenario[] = [
  refusal('EXPIRED', 'whose card has expired', async (stage) => {
    if (stage.lending.library.eligibility.expired === 'allow') throw OFF('eligibility.expired');
    return stage.makeActor(stage.homeSite(), 'Expired', { expiry_date: '2020-01-31' });
  }),
  refusal('RESTRICTED', 'who is restricted at home', async (stage) => {
    if (stage.lending.library.eligibility.restricted === 'allow') throw OFF('eligibility.restricted');
    const home = stage.homeSite();
    if (!(await home.koha.capabilities()).pluginRoutes)
      throw new NotTried(`only a plugin can restrict, and ${home.library.id} has none`);
    const actor = await stage.makeActor(home, 'Restricted');
    const at = { kind: 'owed', library: stage.lending.library.id, patronId: actor.patronId } as const;
    stage.check('restriction set at home', await home.koha.setRestriction(at, null), 'done');
    stage.check('restricted at home', (await home.koha.readPatron(actor.patronId))?.restricted, true);
    return actor;
  }),
  refusal('CARD_LOST', 'whose card is reported lost', async (stage) => {
    if (stage.lending.library.eligibility.cardLost === 'allow') throw OFF('eligibility.card_lost');
    return stage.makeActor(stage.homeSite(), 'Lost', { patron_card_lost: true });
  }),
  refusal('ADDRESS_UNCONFIRMED', 'whose address must be confirmed', async (stage) => {
    if (stage.lending.library.eligibility.addressUnconfirmed === 'allow')
      throw OFF('eligibility.address_unconfirmed');
    return stage.makeActor(stage.homeSite(), 'Moved', { incorrect_address: true });
  }),
  refusal('DEBT_OVER_LIMIT', 'who owes more than the limit at home', async (stage) => {
    const { maxDebt } = stage.lending.library.eligibility;
    if (maxDebt === null) throw OFF('eligibility.max_debt');
    const home = stage.homeSite();
    const actor = await stage.makeActor(home, 'Indebted');
    const charged = await home.koha.charge(actor.patronId, maxDebt + 1, 'debit');
    if (charged.kind === 'refused') throw new Differs(`${home.library.id} adds no debt: ${charged.status}`);
    return actor;
  }),
  refusal('UNDER_AGE', 'who is too young', async (stage) => {
    const { minAge } = stage.lending.library.eligibility;
    if (minAge === null) throw OFF('eligibility.min_age');
    const today = localDay(stage.deps.now());
    const born = `${Number(today.slice(0, 4)) - minAge + 1}-01-01`;
    return stage.makeActor(stage.homeSite(), 'Young', { date_of_birth: born });
  }),
  refusal('CATEGORY_NOT_ELIGIBLE', 'in a category that the agreement leaves out', async (stage) =>
    stage.makeActor(stage.homeSite(), 'Other', { category_id: await refusedCategory(stage) }),
  ),
  {
    ...refusal('INCOMPLETE_RECORD', 'without a surname', () => Promise.reject(new RangeError('unused'))),
    async run(stage) {
      const home = stage.homeSite();
      const actor = await stage.makeActor(home, stage.mark, { surname: null, category_id: MARK });
      try {
        const { showReasons } = stage.lending.library.eligibility;
        const reasons = showReasons ? ['INCOMPLETE_RECORD'] : [];
        stage.checkEnd(await stage.scan(actor.card), { outcome: 'NOT_ELIGIBLE', reasons });
        await stage.checkNobody(actor.card);
      } finally {
        // From 25.11 on Koha takes a record without a name for a possible duplicate of many.
        await home.koha.removePatron(actor.patronId);
      }
    },
  },
];
