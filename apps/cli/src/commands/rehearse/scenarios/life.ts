import { homeKeyOf } from '@passport/patron-rules';
import { localTimestamp } from '../../../program/index.ts';
import { MARK } from '../site.ts';
import type { Stage } from '../stage.ts';
import { Differs, NotTried } from '../trial.ts';
import type { Scenario } from './scenario.ts';

const OWED = 7;
const NEW_CITY = 'Rehearsal Bay';

/** The home key type of the lending library, which its plugin keeps copies by. */
function keyTypeOf(stage: Stage): string {
  const { homeKeyAttribute } = stage.lending.library.copy;
  if (homeKeyAttribute === null) throw new NotTried('the lending library writes no home keys');
  return homeKeyAttribute;
}

async function needPlugin(stage: Stage): Promise<void> {
  if (!(await stage.lending.koha.capabilities()).pluginRoutes)
    throw new NotTried(`${stage.lending.library.id} has no plugin that does it`);
}

/** What becomes of a copy after it was made. */
export const LIFE: readonly Scenario[] = [
  {
    id: 'refresh',
    says: 'a change at home comes into the copy when its card is scanned again',
    async run(stage) {
      const { refresh, id } = stage.lending.library;
      if (refresh?.atScan !== true)
        throw new NotTried('this installation does not refresh copies at a scan (refresh.at_scan)');
      const { actor, copy } = await stage.makeCopy('Moving');
      if ((copy.fields['city'] ?? null) === null)
        throw new NotTried('the city is not copied here (copy.fields)');
      await stage.untilRemembered(copy.patronId);
      const { site } = actor;
      const body = { surname: stage.mark, library_id: site.branch, category_id: MARK, city: NEW_CITY };
      await site.koha.changePatron(actor.patronId, body, { branch: site.branch });
      const event = {
        type: 'patron.seen',
        timestamp: localTimestamp(stage.deps.now()),
        data: { patron_id: copy.patronId },
      };
      await stage.receiver.send(stage.deps.newId(), event);
      await stage.until(`the copy at ${id} gets what changed at home`, async () => {
        const now = await stage.lending.koha.readPatron(copy.patronId);
        return now?.fields['city'] === NEW_CITY;
      });
    },
  },
  {
    id: 'restriction',
    says: 'a copy can be restricted with its patron at home: nothing is checked out to it until that ends',
    async run(stage) {
      await needPlugin(stage);
      const { koha } = stage.lending;
      const prop = stage.takeProp();
      const { actor, copy } = await stage.makeCopy('Barred');
      const at = { kind: 'home', library: actor.site.library.id, patronId: copy.patronId } as const;
      stage.check('restriction set', await koha.setRestriction(at, null), 'done');
      const listed = await koha.listRestrictions('home');
      stage.check(
        'restriction listed',
        listed?.some(({ patronId }) => patronId === copy.patronId),
        true,
      );
      stage.check('restricted', (await koha.readPatron(copy.patronId))?.restricted, true);
      stage.checkEnd(await stage.scan(actor.card, { prop }), {
        outcome: 'ALREADY_LOCAL',
        checkout: 'BLOCKED',
      });
      stage.check('restriction lifted', await koha.liftRestriction(at), 'done');
      stage.check('restricted after it', (await koha.readPatron(copy.patronId))?.restricted, false);
      stage.checkEnd(await stage.scan(actor.card, { prop }), {
        outcome: 'ALREADY_LOCAL',
        checkout: 'CHECKED_OUT',
      });
      await stage.checkIn(prop);
    },
  },
  {
    id: 'owed',
    says: 'what a copy owes can be read for its home library, as a number',
    async run(stage) {
      await needPlugin(stage);
      const homeKeyType = keyTypeOf(stage);
      const { koha, library } = stage.lending;
      const { actor, copy } = await stage.makeCopy('Owing');
      await stage.untilRemembered(copy.patronId);
      const charged = await koha.charge(copy.patronId, OWED, 'debit');
      if (charged.kind === 'refused') throw new Differs(`${library.id} adds no debt: ${charged.status}`);
      const amountOf = async (): Promise<number | undefined> => {
        const page = await koha.readOwed({ homeKeyType, after: copy.patronId - 1 });
        const homeKey = homeKeyOf(actor.site.library.id, actor.patronId);
        return page?.rows.find((row) => row.homeKey === homeKey)?.amount;
      };
      stage.check('what the copy owes, in hundredths', await amountOf(), OWED * 100);
      const facts = await koha.readDeletionFacts([copy.patronId]);
      stage.check('a debt keeps the copy', facts?.[0]?.blocks.join(' '), 'debt');
      await koha.charge(copy.patronId, OWED, 'write_off');
      stage.check('what it owes after that', await amountOf(), undefined);
    },
  },
  {
    id: 'purge',
    says: 'a copy with a checkout is kept; without one it can be deleted, and is made anew by the next scan',
    async run(stage) {
      await needPlugin(stage);
      const homeKeyType = keyTypeOf(stage);
      const { koha } = stage.lending;
      const prop = stage.takeProp();
      const { actor, copy } = await stage.makeCopy('Purged');
      await stage.untilRemembered(copy.patronId);
      const scanned = await stage.scan(actor.card, { prop });
      stage.checkEnd(scanned, { outcome: 'ALREADY_LOCAL', checkout: 'CHECKED_OUT' });
      const { patronId } = copy;
      const homeKey = homeKeyOf(actor.site.library.id, actor.patronId);
      const kept = await koha.deleteCopy({ patronId, homeKey, homeKeyType });
      stage.check('with a checkout', kept.kind, 'blocked');
      await stage.checkIn(prop);
      const begun = await stage.ends.begin(patronId, homeKey);
      const other = await koha.deleteCopy({ patronId, homeKey: `${homeKey}0`, homeKeyType });
      stage.check('under another home key', other.kind, 'not_this_copy');
      const gone = await koha.deleteCopy({ patronId, homeKey, homeKeyType });
      stage.check('without it', gone.kind, 'deleted');
      if (begun !== null && gone.kind === 'deleted') await stage.ends.deleted(begun);
      stage.check('the copy, read back', await koha.readPatron(patronId), null);
      const again = await stage.scan(actor.card);
      stage.checkEnd(again, { outcome: 'COPIED' });
      await stage.checkCopy(actor, again.state?.patron_id ?? null);
    },
  },
];

/** What no rehearsal can bring about, and why: each is a line of the report. */
export const NEVER: readonly Scenario[] = (
  [
    ['home_gone', 'the home record was anonymised', "Koha's API anonymises nobody: only its cron job does"],
    ['copy_anonymized', 'the copy was anonymised', "Koha's API anonymises nobody: only its cron job does"],
    [
      'unreachable',
      'a library does not answer',
      'a rehearsal stops no Koha: `passport library pause` shows it',
    ],
    [
      'sweep',
      'copies are refreshed at night',
      'a sweep is about all copies: `passport copies refresh --dry-run` plans one',
    ],
  ] as const
).map(([id, says, why]) => ({ id, says, run: () => Promise.reject(new NotTried(why)) }));
