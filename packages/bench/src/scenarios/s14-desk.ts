import { findChromium, startChromium } from '@passport/testkit';
import type { Browser, Page } from 'playwright-core';
import { percentile, timeOf } from '../figures.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { recordRow, valueRow, type Measure, type Measured } from '../row.ts';
import { NotHere, many, repeat, type Run } from '../scenario.ts';
import { LENDING, PREFIX, withBench, type Stack } from '../stack.ts';

const CHECKOUT = '/cgi-bin/koha/circ/circulation.pl';
const WEB_WORKERS = 4;
const WARM_UP = 5;
/** The page that waits for the copy, look-up, copy; then what the code is, for it is scanned as the page comes; the form with the item, and the page that it leads to. */
const CALLS = 6;
/** What is promised, at Kohas that take so long. */
const PROMISED_AT_MS = 150;

/** From Enter behind a visitor's card to the checked-out item on the page, in a real browser with the plugin's script. */
export async function measureDesk(run: Run): Promise<readonly Measured[]> {
  if (findChromium() === null) throw new NotHere('no Chromium is on the PATH');
  const browser = await startChromium();
  try {
    const times = [
      { ms: 60, scans: 6 },
      { ms: PROMISED_AT_MS, scans: 24 },
      { ms: 400, scans: 6 },
    ];
    const chosen = run.isQuick ? [{ ms: 60, scans: 2 }] : times;
    const rows = await repeat(chosen.length, async (place) => {
      const { ms, scans } = chosen[place] as (typeof times)[number];
      run.progress(`${scans} visitors, Kohas take ${ms} ms`);
      return buildRows(ms, await measureAt(browser, ms, scans, many(run, WARM_UP, 1)));
    });
    return rows.flat();
  } finally {
    await browser.close();
  }
}

function buildRows(ms: number, took: readonly number[]): readonly Measured[] {
  const against = CALLS * ms;
  const measure = (what: string, share: number): Measure => ({
    what: `card to checked-out item, ${what}, Kohas take ${ms} ms`,
    unit: 'ms',
    rounds: took.map((ours) => ({ ours, against })),
    all: { ours: percentile(took, share), against },
  });
  const median = measure('median', 0.5);
  const slow = measure('95th percentile', 0.95);
  return ms === PROMISED_AT_MS
    ? [valueRow(median, { atMost: 1_000 }), valueRow(slow, { atMost: 2_000 })]
    : [recordRow(median), recordRow(slow)];
}

function measureAt(browser: Browser, ms: number, scans: number, warmUp: number): Promise<readonly number[]> {
  const options = {
    scans: warmUp + scans,
    hasDesk: true,
    isWatched: false,
    front: { webWorkers: WEB_WORKERS, serviceMs: 5 },
  };
  return withBench(options, async (bench) => {
    await connectPlugin(bench);
    const page = await browser.newPage();
    await repeat(warmUp, (index) => serveVisitor(bench, page, index));
    bench.kohas.setServiceMs(ms);
    const took = await repeat(scans, (index) => serveVisitor(bench, page, warmUp + index));
    await page.close();
    return took;
  });
}

/** The plugin's own configuration page, so to speak: where it sends what it sees, and what it takes for a card. */
async function connectPlugin(bench: Stack): Promise<void> {
  await bench.kohas.control(LENDING, 'PUT', 'settings', {
    webhook: {
      receiver_url: bench.receiver.url,
      secret: bench.secretOf(LENDING),
      library: LENDING,
      patterns: [`^${PREFIX}\\d{9}$`],
      staff_wait_ms: 1_500,
      self_check_wait_ms: 3_000,
    },
  });
}

async function serveVisitor(bench: Stack, page: Page, index: number): Promise<number> {
  const { url } = bench.kohas.koha(LENDING);
  const card = cardOf(PREFIX, index);
  const barcode = barcodeOf(index);
  await page.goto(`${url}${CHECKOUT}`);
  await page.locator('#findborrower').fill(card);
  return timeOf(async () => {
    await page.keyboard.press('Enter');
    // Here at once where the page has waited long enough, else behind the plugin's panel.
    await page.locator('#barcode').fill(barcode);
    await page.keyboard.press('Enter');
    await page.getByRole('table').getByText(barcode).waitFor();
  });
}
