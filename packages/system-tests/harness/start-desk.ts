import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { startFaultProxy, startChromium, type FaultProxy } from '@passport/testkit';
import { startConsortium, type Consortium } from './start-consortium.ts';
import { threeLibraries } from './three-libraries.ts';

export const SCRIPT = fileURLToPath(
  new URL('../../../apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/main.js', import.meta.url),
);
export const PAGES = fileURLToPath(
  new URL('../../../apps/koha-plugin/t/bin/plugin-page.pl', import.meta.url),
);
const CHECKOUT = '/cgi-bin/koha/circ/circulation.pl';
/** In the page: what {@link Desk.marks}, {@link Desk.overflow} and {@link Desk.focus} return. */
const MARKS = `Array.from(
  document.querySelector('#passport-panel').shadowRoot.querySelectorAll('.sign, .mark'),
  (mark) => {
    const { borderTopStyle, borderTopLeftRadius } = getComputedStyle(mark);
    return [getComputedStyle(mark, '::before').content, borderTopStyle, borderTopLeftRadius].join(' ');
  },
)`;
const OVERFLOW = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(
  document.querySelector('#passport-panel').shadowRoot.querySelector('section'),
)`;
const FOCUS = `(({ id, value, selectionStart, selectionEnd }) => ({
  id,
  selected: typeof value === 'string' ? value.slice(selectionStart, selectionEnd) : null,
}))(document.activeElement)`;
const ANY_CARD = '^(?=.*[0-9])[0-9A-Za-z._-]{4,32}$';

/** What is on a desk of riverside: one browser window of its own. */
export interface Desk {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The plugin's panel, and parts of it. */
  readonly panel: Locator;
  readonly headline: Locator;
  readonly advice: Locator;
  readonly item: Locator;
  /** The list of the other scans of this desk. */
  readonly scans: Locator;
  button(name: string): Locator;
  /** Opens the checkout box, and scans a card as a scanner does: digits, Enter. */
  scan(card: string): Promise<void>;
  /** Waits until the checkout of the patron with this card is open. */
  checkoutOf(card: string): Promise<void>;
  /** The steps as they are shown: `report:done search:now ...`. */
  steps(): Promise<string>;
  /** Opens any page of this Koha. */
  open(path: string): Promise<void>;
  /** The mark of the result and of each step, as it looks where there are no colours: sign and border. */
  marks(): Promise<string[]>;
  /** By how many pixels the panel's content is wider than the panel. */
  overflow(): Promise<number>;
  /** The id of what has the focus on Koha's page, and what of its text is selected. */
  focus(): Promise<{ id: string; selected: string | null }>;
  /** Faults that axe finds on the page, as `id: element`. */
  barriers(): Promise<string[]>;
  close(): Promise<void>;
}

/** How somebody looks at it: the language, the width in CSS pixels, and whether the system's colours are forced upon it. */
export interface DeskOptions {
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly forcedColors?: 'active' | 'none';
}

export interface Desks {
  readonly consortium: Consortium<keyof typeof threeLibraries>;
  /** The network between us and midland, the home library. */
  readonly toMidland: FaultProxy;
  /** Sets how long riverside's pages wait for the copy, and who is reported. */
  configure(change?: {
    staffWaitMs?: number;
    receiverUrl?: string;
    secret?: string;
    patterns?: readonly string[];
  }): void;
  /** Has the workers take nothing until {@link goOn}: events are accepted and wait in the queue. */
  holdWork(): void;
  goOn(): void;
  openDesk(options?: DeskOptions): Promise<Desk>;
  stop(): Promise<void>;
}

/** `riverside`: more keys of its entry in the configuration; `env`: of the processes. The built service between three Kohas, with the plugin's real script on riverside's pages, and a real Chromium. */
export async function startDesks({
  riverside = {},
  env = {},
}: {
  readonly riverside?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<Desks> {
  const browser = await startChromium();
  let toMidland: FaultProxy | undefined;
  const consortium = await startConsortium({
    env,
    libraries: {
      ...threeLibraries,
      midland: {
        ...threeLibraries.midland,
        reachedAt: async (port) => {
          toMidland = await startFaultProxy({ target: port });
          return `http://127.0.0.1:${toMidland.port}`;
        },
      },
      riverside: {
        ...threeLibraries.riverside,
        koha: { pluginScriptPath: SCRIPT, pluginPagesPath: PAGES },
        entry: riverside,
      },
    },
  });
  if (toMidland === undefined) throw new Error('midland was not put behind the proxy');
  const proxy = toMidland;
  const configure: Desks['configure'] = ({ staffWaitMs = 1500, receiverUrl, secret, patterns } = {}) => {
    consortium.doubles.riverside.putSettings({
      webhook: {
        receiver_url: receiverUrl ?? consortium.services.receivers[0]?.url ?? '',
        secret: secret ?? consortium.secrets.riverside,
        library: 'riverside',
        patterns: patterns ?? [ANY_CARD],
        staff_wait_ms: staffWaitMs,
        self_check_wait_ms: 3000,
      },
    });
  };
  configure();
  const signalWorkers = (signal: NodeJS.Signals): void => {
    for (const worker of consortium.services.workers) worker.signal(signal);
  };
  return {
    consortium,
    toMidland: proxy,
    configure,
    holdWork: () => signalWorkers('SIGSTOP'),
    goOn: () => signalWorkers('SIGCONT'),
    openDesk: (options = {}) => openDesk(browser, consortium.doubles.riverside.url, options),
    stop: async () => {
      await browser.close();
      await consortium.stop();
      await proxy.close();
    },
  };
}

/** Opens a browser window at any Koha. */
export async function openDesk(
  browser: Browser,
  url: string,
  { language = 'en', width = 1280, height = 800, forcedColors = 'none' }: DeskOptions,
): Promise<Desk> {
  const context = await browser.newContext({ viewport: { width, height }, forcedColors });
  await context.addCookies([{ name: 'KohaOpacLanguage', value: language, url }]);
  const page = await context.newPage();
  const panel = page.locator('#passport-panel section');
  return {
    page,
    context,
    panel,
    headline: panel.locator('.headline'),
    advice: panel.locator('.advice'),
    item: panel.locator('#item'),
    scans: page.locator('#passport-scans section'),
    button: (name) => panel.getByRole('button', { name }).or(panel.getByRole('link', { name })),
    async scan(card) {
      await page.goto(`${url}${CHECKOUT}`);
      await page.locator('#findborrower').pressSequentially(card);
      await page.keyboard.press('Enter');
    },
    async checkoutOf(card) {
      await page.waitForURL((now) => now.pathname === CHECKOUT && now.search !== '');
      await page.getByText(card).first().waitFor();
    },
    steps: async () => {
      const marks = await panel.locator('ol > li').all();
      const states = marks.map(async (mark) =>
        [await mark.getAttribute('data-step'), await mark.getAttribute('data-is')].join(':'),
      );
      return (await Promise.all(states)).join(' ');
    },
    open: async (path) => void (await page.goto(`${url}${path}`)),
    marks: () => page.evaluate(MARKS),
    overflow: () => page.evaluate(OVERFLOW),
    focus: () => page.evaluate(FOCUS),
    barriers: () => barriersOn(page),
    close: () => closeDesk(page, context),
  };
}

const CLOSING_MS = 10_000;

/** What a page is on its way to ends first. A window that does not say that it is closed ends with the browser, and nobody waits for it. */
async function closeDesk(page: Page, context: BrowserContext): Promise<void> {
  await page.goto('about:blank', { timeout: CLOSING_MS }).catch(() => undefined);
  const late = new AbortController();
  await Promise.race([
    context.close(),
    setTimeout(CLOSING_MS, undefined, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
}

async function barriersOn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await run.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
}
