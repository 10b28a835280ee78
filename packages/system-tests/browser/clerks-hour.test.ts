import { readFileSync } from 'node:fs';
import { stderr } from 'node:process';
import { findChromium, waitFor } from '@passport/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

/** The keys of the table there, by visitor: no clerk needs more. */
const TABLE = new Map(
  [
    ...readFileSync(new URL('../../../docs/koha-setup.md', import.meta.url), 'utf8').matchAll(
      /^\| ([a-z][^|]+?) +\| (\d+)(?: \([^|]+\))? +\|$/gm,
    ),
  ].map(([, visitor, keys]) => [visitor, Number(keys)]),
);

const WIDE = { width: 1366, height: 768 };
const NARROW = { width: 320, height: 568 };
/** Each night all of them. */
const LOOKS = [
  { language: 'en', ...WIDE },
  { language: 'de', ...NARROW },
  ...(process.env['NIGHTLY'] === undefined
    ? []
    : [
        { language: 'fr', ...WIDE },
        { language: 'es', ...WIDE },
        { language: 'de', ...WIDE },
        { language: 'en', ...NARROW },
        { language: 'fr', ...NARROW },
        { language: 'es', ...NARROW },
      ]),
];
/** What cards look like in this consortium. */
const PATTERNS = [String.raw`^2\d{13}$`];

let desks: Desks;
let desk: Desk;
let spare = 0;
const nobodysCard = () => `21234${String(500_000_000 + (spare += 1))}`;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const loansOf = (card: string) =>
  riverside()
    .state(card)
    .checkouts.map(({ external_id: barcode }) => barcode);
const isHere = (card: string) => riverside().state(card).patrons.length > 0;

/** Somebody with a scanner and a keyboard. */
let keys = 0;
const press = async (key: string): Promise<void> => {
  keys += 1;
  await desk.page.keyboard.press(key);
};
/** Where a code may be scanned: another box would take it for something else. */
const BOXES = {
  card: ['passport-panel', 'findborrower'],
  item: ['passport-panel', 'barcode'],
} as const;
async function scan(kind: keyof typeof BOXES, code: string): Promise<void> {
  await waitFor(`a box for the ${kind}`, async () =>
    (BOXES[kind] as readonly string[]).includes((await desk.focus()).id),
  );
  await desk.page.keyboard.type(code);
  await desk.page.keyboard.press('Enter');
}
/** Koha's own key Alt+U opens its checkout page; whoever has finished with a patron uses it, with the plugin or without. */
const finish = () => desk.open('/cgi-bin/koha/circ/circulation.pl');
/** The page of this card, and no longer that of the one before. */
const panelOf = (card: string) =>
  desk.page.waitForURL((url) => url.searchParams.get('searchmember') === card);
const search = (is: string) => waitFor(is, async () => (await desk.steps()).includes(`search:${is}`));
const refusedAtHome = (columns: Readonly<Record<string, unknown>>) => async () => {
  const card = registerPatron(midland(), { columns });
  await scan('card', card);
  await panelOf(card);
  await waitFor('a refusal', async () => (await desk.steps()).includes('copy:stopped'));
};

/** While nobody works: the scan is accepted and the panel is there. */
async function scanWhileHeld(card: string): Promise<void> {
  desks.holdWork();
  await scan('card', card);
  await panelOf(card);
  await desk.item.waitFor();
}

/** What can be decided, in English: one key for each, and the box for the next scan keeps the focus. */
async function choose(english: string): Promise<void> {
  const options = desk.panel.locator('.decision button');
  await options.first().waitFor();
  const shown = await options.allTextContents();
  const names = [english, ...(CHOICES[english] ?? [])];
  const index = shown.findIndex((text) => names.some((name) => text.startsWith(name)));
  expect((await desk.focus()).id).toBe('passport-panel');
  await press(`Alt+${index + 1}`);
}
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'A guarantor is present': ['Un garant', 'Hay un garante', 'Eine bürgende'],
};

/** The checkout page with the loan: a page that is still on its way would interrupt the next. */
const seen = (book: string) => desk.page.getByRole('table').getByText(book).waitFor();

async function serve(books: readonly string[]): Promise<void> {
  for (const book of books) {
    await scan('item', book);
    await seen(book);
  }
  await finish();
}

const arrive = async (card: string, books: readonly string[] = []): Promise<void> => {
  desks.goOn();
  await desk.checkoutOf(card);
  await serve(books);
};

/** Each visitor, as the table names them. All begin where the one before has left the desk. */
const VISITORS: Readonly<Record<string, () => Promise<void>>> = {
  'a visitor whose library answers at once': async () => {
    const card = registerPatron(midland());
    await scan('card', card);
    await desk.checkoutOf(card);
    await serve([shelveBook(riverside()), shelveBook(riverside())]);
  },
  'one whose library is slow': async () => {
    const card = registerPatron(midland());
    await scanWhileHeld(card);
    await arrive(card, [shelveBook(riverside())]);
  },
  'one whose item is scanned meanwhile': async () => {
    const [card, book] = [registerPatron(midland()), shelveBook(riverside())];
    await scanWhileHeld(card);
    await scan('item', book);
    await waitFor('the item', async () => (await desk.steps()).includes('checkout'));
    await arrive(card);
    expect(loansOf(card)).toEqual([book]);
  },
  'one whose card is scanned twice': async () => {
    const card = registerPatron(midland());
    await scanWhileHeld(card);
    await scan('card', card);
    await arrive(card, [shelveBook(riverside())]);
  },
  'one whose item needs a confirmation of Koha': async () => {
    riverside().putSettings({ CircConfirmItemParts: true });
    const [card, book] = [registerPatron(midland()), shelveBook(riverside(), { materials_notes: 'A map' })];
    await scanWhileHeld(card);
    await scan('item', book);
    await waitFor('the item', async () => (await desk.steps()).includes('checkout'));
    desks.goOn();
    await desk.checkoutOf(card);
    await desk.scans.locator('li[data-tone=warn]').waitFor();
    await scan('item', book);
    await desk.page.locator('#circ_needsconfirmation').waitFor();
    riverside().putSettings({ CircConfirmItemParts: false });
    await finish();
  },
  'one whose item is unknown here': async () => {
    const card = registerPatron(midland());
    await scanWhileHeld(card);
    await scan('item', '399');
    await desk.panel.locator('#item-fault:not(:empty)').waitFor();
    // half a code may be the next card's
    await scan('card', card);
    await arrive(card, [shelveBook(riverside())]);
  },
  'the next one, while the one before waits': async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    const book = shelveBook(riverside());
    await scanWhileHeld(first);
    await scan('card', second);
    await panelOf(second);
    await scan('item', book);
    await waitFor('the item', async () => (await desk.steps()).includes('checkout'));
    await arrive(second);
    expect([loansOf(first), loansOf(second)]).toEqual([[], [book]]);
    await waitFor('the first', () => isHere(first));
    await scan('card', first);
    await desk.checkoutOf(first);
    await finish();
  },
  'one of this library, while the one before waits': async () => {
    const [first, own] = [registerPatron(midland()), registerPatron(riverside(), { prefix: '77' })];
    await scanWhileHeld(first);
    await scan('card', own);
    await desk.checkoutOf(own);
    await arrive(own, [shelveBook(riverside())]);
  },
  'one whose card two libraries have': async () => {
    const card = registerPatron(midland());
    const twin = {
      surname: 'Other',
      category_id: 'AD',
      library_id: 'MAIN',
      date_of_birth: '1980-02-29',
      expiry_date: '2037-12-31',
    };
    desks.consortium.doubles.lakeside.putPatron(card, twin);
    await scan('card', card);
    await panelOf(card);
    await choose('midland library');
    await arrive(card, [shelveBook(riverside())]);
  },
  'one who is too young here, and may borrow all the same': async () => {
    const card = registerPatron(midland(), {
      columns: { date_of_birth: `${new Date().getFullYear() - 9}-01-01` },
    });
    await scan('card', card);
    await panelOf(card);
    await choose('A guarantor is present');
    await arrive(card, [shelveBook(riverside())]);
  },
  'one whose card nobody knows': async () => {
    const card = nobodysCard();
    await scan('card', card);
    await panelOf(card);
    await search('none');
  },
  'one whose card nobody knows, and who is registered': async () => {
    const card = nobodysCard();
    await scan('card', card);
    await panelOf(card);
    await search('none');
    await press('Alt+N');
    await waitFor('the categories', async () => (await desk.panel.locator('a:focus').count()) === 1);
    await press('Enter');
    await waitFor('the surname', async () => (await desk.focus()).id === 'surname');
    await desk.page.keyboard.type(`Newcomer${card}`);
    await press('Enter');
    await arrive(card, [shelveBook(riverside())]);
  },
  'one whose card has expired': refusedAtHome({ expiry_date: '2020-01-31' }),
  'one who is restricted at home': refusedAtHome({ restricted: true }),
  'one whose card is reported lost': refusedAtHome({ patron_card_lost: true }),
  'an item in the place of a card': async () => {
    await scan('card', shelveBook(riverside()));
    await desk.panel.locator('#item-fault:not(:empty)').waitFor();
  },
  'one whose card an item here has, too': async () => {
    const [first, both] = [registerPatron(midland()), registerPatron(midland())];
    riverside().putItem(both, { item_type_id: 'BK', home_library_id: 'MAIN', holding_library_id: 'MAIN' });
    await scanWhileHeld(first);
    await scan('card', both);
    await desk.panel.locator('.choice:not([hidden])').waitFor();
    for (
      let tries = 0;
      tries < 4 && (await desk.panel.locator('.choice button:last-of-type:focus').count()) === 0;
      tries += 1
    )
      await press('Tab');
    await press('Enter');
    await panelOf(both);
    await waitFor('that it is an item', async () => (await desk.steps()).includes('report:skipped'));
    // Whatever is drawn after a Tab would take the focus with it.
    await desk.panel.locator('.actions button:visible').first().waitFor();
    for (
      let tries = 0;
      tries < 4 && (await desk.panel.locator('.actions button:focus').count()) === 0;
      tries += 1
    )
      await press('Tab');
    await press('Enter');
    await arrive(both);
    expect(loansOf(first)).toEqual([]);
  },
  'one who goes away before the answer': async () => {
    await scanWhileHeld(registerPatron(midland()));
    await press('Escape');
    await waitFor('the end', async () => (await desk.steps()).includes('search:skipped'));
    desks.goOn();
  },
};

/** The most frequent come more than once: 25 in a row. */
const ROW = [...Object.keys(VISITORS), ...Object.keys(VISITORS).slice(0, 25 - Object.keys(VISITORS).length)];

const found = findChromium();
if (found === null) stderr.write('Skipped: an hour at the desk (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('an hour at the desk, with keyboard and scanner only', () => {
  beforeAll(async () => {
    desks = await startDesks({
      riverside: { eligibility: { min_age: 16, override: { soft: ['min_age'] } } },
    });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);

  test.each(LOOKS)(
    '25 visitors in a row, no key more than the table says, and no code in a box for another ($language, $width pixels)',
    async (look) => {
      expect(ROW).toHaveLength(25);
      desks.configure({ staffWaitMs: 300, patterns: PATTERNS });
      desk = await desks.openDesk(look);
      await finish();
      const counted = new Map<string, number>();
      for (const visitor of ROW) {
        keys = 0;
        await VISITORS[visitor]?.();
        counted.set(visitor, Math.max(keys, counted.get(visitor) ?? 0));
        // whatever is shown: nothing is wider than the screen, and the result is in view
        if (await desk.panel.isVisible()) {
          expect([visitor, (await desk.overflow()) <= 0]).toEqual([visitor, true]);
          await waitFor(`the result of ${visitor} to be in view`, isInView, { timeoutMs: 1_000 });
        }
      }
      expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(TABLE));
      // no partner was asked for an item
      const asked = [midland(), desks.consortium.doubles.lakeside].flatMap((koha) => koha.calls());
      expect(asked.filter(({ path, query }) => `${path} ${JSON.stringify(query)}`.includes('39999'))).toEqual(
        [],
      );
      await desk.close();
    },
    300_000,
  );

  const isInView = async (): Promise<boolean> => {
    const box = await desk.headline.boundingBox();
    const size = desk.page.viewportSize();
    return box !== null && size !== null && box.y >= 0 && box.y < size.height;
  };
});
