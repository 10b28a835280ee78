import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stderr } from 'node:process';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { waitFor, findChromium, startChromium } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

/** Distinguishable from everything that a page may show. */
const PLANTED = {
  surname: 'Qvistgaardplanted',
  firstname: 'Zsuzsannaplanted',
  email: 'mailplanted@post.example',
  phone: '+44 1632 960777',
  address: 'Plantedstrasse 99',
  date_of_birth: '1977-07-17',
} as const;
const VIEWER = { username: 'victor', password: 'viewers-password' };
const REFUSED = {
  operation: 'POST /patrons',
  times: 1,
  kind: 'status',
  status: 403,
  body: {
    error: 'Authorization failure. Missing required permission(s).',
    required_permissions: { borrowers: 'edit_borrowers' },
  },
} as const;

let consortium: Consortium<keyof typeof threeLibraries>;
let browser: Browser;
const secrets: string[] = Object.values(PLANTED);
/** Everything that the dashboard has sent to a browser, and every address that a page has requested. */
const bodies: string[] = [];
const requested: string[] = [];

const url = (): string => consortium.services.dashboards[0]?.url ?? '';
const operator = () => ({
  username: 'operator',
  password: consortium.services.env['DASHBOARD_PASSWORD'] ?? '',
});

async function openContext(
  httpCredentials: { username: string; password: string } | null,
  more: Pick<BrowserContextOptions, 'colorScheme' | 'forcedColors' | 'viewport' | 'bypassCSP'> = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    ...(httpCredentials === null ? {} : { httpCredentials }),
    ...more,
  });
  context.on('request', (request) => requested.push(request.url()));
  context.on('response', (response) => {
    response.text().then(
      (text) => bodies.push(text),
      () => undefined,
    );
  });
  return context;
}

async function onPage<T>(
  context: Promise<BrowserContext>,
  path: string,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const opened = await context;
  try {
    const page = await opened.newPage();
    await page.goto(`${url()}${path}`, { waitUntil: 'networkidle' });
    return await use(page);
  } finally {
    await opened.close();
  }
}

/** A scan at riverside of a planted patron of midland; riverside's Koha refuses the copy once. */
async function failOnce(): Promise<{ eventId: string; card: string }> {
  const { midland, riverside } = consortium.doubles;
  const card = registerPatron(midland, {
    columns: { ...PLANTED, surname: `${PLANTED.surname} ${secrets.length}` },
  });
  const item = shelveBook(riverside);
  secrets.push(card, item);
  riverside.addFaults([REFUSED]);
  const desk = consortium.at('riverside');
  const { eventId } = await desk.scan({ cardnumber: card, item_barcode: item });
  await desk.follow(eventId, { until: ({ state }) => state === 'failed' });
  return { eventId, card };
}

/** A copy at riverside that somebody has to look at, and loans of midland's patrons there. Returns midland's number of the patron. */
async function copyWithFindings(): Promise<number> {
  const { redis, doubles } = consortium;
  const card = registerPatron(doubles.midland, { columns: PLANTED });
  secrets.push(card);
  const desk = consortium.at('riverside');
  const { eventId } = await desk.scan({ cardnumber: card, item_barcode: null });
  await desk.follow(eventId, { until: ({ state }) => state === 'done' });
  const number = ({ patrons: [patron] }: { patrons: readonly { patron_id: unknown }[] }): number =>
    Number(patron?.patron_id);
  const [atHome, copy] = [number(doubles.midland.state(card)), number(doubles.riverside.state(card))];
  const now = Date.now();
  const found = `HOME_GONE:${now - 3_600_000}:0,NOT_ELIGIBLE:${now}:0`;
  await redis.call(
    'HSET',
    '{passport}:findings:riverside',
    String(copy),
    `midland:${atHome} ${now} ${found}`,
  );
  const loans = `{passport}:loans:${new Date(now).toISOString().slice(0, 'YYYY-MM'.length)}`;
  await redis.call('SADD', loans, 'riverside');
  await redis.call('HSET', `${loans}:riverside`, JSON.stringify(['midland', 'MAIN', 'checkouts']), '9');
  return atHome;
}

async function fillPages(): Promise<{ readonly eventId: string; readonly patron: number }> {
  const { eventId } = await failOnce();
  const sweep = ['copies', 'refresh', '--at', 'riverside', '--full'];
  expect(await runPassport(sweep, { env: consortium.services.env })).toMatchObject({ code: 0 });
  return { eventId, patron: await copyWithFindings() };
}
let filled: ReturnType<typeof fillPages> | undefined;
/** Once: a further sweep takes the findings away, and the list of a home library's patrons is kept for 15 s. */
const onceFilled = () => (filled ??= fillPages());

const outcomeOf = async (eventId: string) => (await consortium.at('riverside').state(eventId))?.outcome;

async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe.source }).catch(() => undefined);
  return page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations: found } = await run.run();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
}

const found = findChromium();
if (found === null) stderr.write('Skipped: the dashboard in a browser (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('the dashboard in a real browser', () => {
  beforeAll(async () => {
    consortium = await startConsortium({
      libraries: {
        ...threeLibraries,
        riverside: { ...threeLibraries.riverside, entry: { refresh: { sweep: '02:00' } } },
      },
      dashboards: 1,
      env: {
        DASHBOARD_VIEWER_USER: VIEWER.username,
        DASHBOARD_VIEWER_PASSWORD: VIEWER.password,
        LOG_LEVEL: 'trace',
      },
    });
    browser = await startChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await consortium?.stop();
  }, 60_000);

  test('shows nothing without a login: no page, no API, no asset', async () => {
    for (const path of [
      '/',
      '/events',
      '/statistics',
      '/statistics.csv',
      '/sweeps',
      '/board/',
      '/board/api/queues',
      '/assets/dashboard.css',
      '/board/static/js/main.js',
    ]) {
      const response = await fetch(`${url()}${path}`);
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.text()).toContain('<p>Log in to see this page.</p>');
    }
  });

  test('lets a failed event be found, understood and retried to success', async () => {
    const { eventId, card } = await failOnce();
    await onPage(openContext(operator()), '/', async (page) => {
      const entry = page.locator(`a[href="/events/riverside/${eventId}"]`);
      // The desk hears of an end before it is listed.
      await waitFor(
        'it to be listed',
        async () => (await page.reload()) !== null && (await entry.count()) > 0,
      );
      expect(await entry.textContent()).toContain(
        'The passport service is not set up correctly for riverside library.',
      );
      await entry.click();
      expect(await page.textContent('.advice')).toContain('lacks a permission (borrowers: edit_borrowers)');
      await page.getByRole('button', { name: 'Retry' }).click();
      expect(await page.textContent('[role=status]')).toBe('It is being tried again, as if it were new.');
      await waitFor('the success', async () => (await outcomeOf(eventId)) === 'COPIED', {
        timeoutMs: 15_000,
      });
      await page.reload();
      expect(await page.textContent('h1')).toBe('Found at midland library. You can check out now.');
      expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
    });
    expect(consortium.doubles.riverside.state(card).patrons).toHaveLength(1);
    const audit = (await consortium.services.logs())
      .split('\n')
      .filter((line) => line.includes('"action":"retry"') && line.includes(eventId));
    expect(audit.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        audit: true,
        by: 'operator',
        event: eventId,
        lending: 'riverside',
        result: 'done',
      }),
    ]);
  }, 40_000);

  test('lets it be retried on the board, where jobs have names that a person understands', async () => {
    const { eventId } = await failOnce();
    await onPage(openContext(operator()), '/board/queue/scans?status=failed', async (page) => {
      const card = page.locator('[class^=card]', { hasText: eventId }).last();
      expect(await card.textContent()).toContain('riverside: MISCONFIGURED (riverside: permission)');
      await card.locator('button:has(.lucide-refresh-cw)').click();
      const confirm = page.getByRole('button', { name: /confirm/i });
      if (await confirm.isVisible().catch(() => false)) await confirm.click();
      await waitFor('the success', async () => (await outcomeOf(eventId)) === 'COPIED', {
        timeoutMs: 15_000,
      });
      await page.goto(`${url()}/board/queue/scans?status=completed`, { waitUntil: 'networkidle' });
      await page.getByText('riverside: COPIED').first().waitFor();
    });
  }, 40_000);

  test('offers no button for what it refuses: all at once, pause, add, duplicate, edit', async () => {
    await failOnce();
    await onPage(openContext(operator()), '/board/queue/scans?status=failed', async (page) => {
      await page.locator('button:has(.lucide-trash-2):visible').first().waitFor();
      for (const button of ['Retry all', 'Clean all']) {
        expect(await page.getByRole('button', { name: button }).filter({ visible: true }).count()).toBe(0);
      }
      const refused = '.lucide-files, .lucide-pencil, .lucide-clock, .lucide-ellipsis-vertical';
      expect(await page.locator(`button:has(${refused}):visible`).count()).toBe(0);
    });
  }, 40_000);

  test('lets a viewer look and nothing else, also by hand-made requests', async () => {
    const { eventId } = await failOnce();
    const context = await openContext(VIEWER);
    const page = await context.newPage();
    await page.goto(`${url()}/events/riverside/${eventId}`);
    expect(await page.textContent('main')).toContain('Your login is read-only.');
    expect(await page.locator('button').count()).toBe(0);
    await page.goto(`${url()}/board/queue/scans?status=failed`, { waitUntil: 'networkidle' });
    expect(await page.locator('button:has(.lucide-refresh-cw):visible').count()).toBe(0);
    const statuses = await page.evaluate(async (id) => {
      const put = (path: string, method: string) => fetch(path, { method }).then(({ status }) => status);
      return Promise.all([
        put(`/board/api/queues/scans/riverside.${id}/retry`, 'PUT'),
        put(`/board/api/queues/scans/riverside.${id}/clean`, 'PUT'),
        put(`/events/riverside/${id}/retry`, 'POST'),
      ]);
    }, eventId);
    await context.close();
    expect(statuses).toEqual([403, 403, 403]);
    expect(await outcomeOf(eventId)).toBe('MISCONFIGURED');
  }, 40_000);

  test('takes no form of another site, although the browser adds the login', async () => {
    const { eventId } = await failOnce();
    await onPage(openContext(operator()), '/', async (page) => {
      await page.route('http://evil.example/', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<form method="post" action="${url()}/events/riverside/${eventId}/retry"><button>win</button></form>`,
        }),
      );
      await page.goto('http://evil.example/');
      const [response] = await Promise.all([
        page.waitForResponse((each) => each.url().includes('/retry')),
        page.click('button'),
      ]);
      expect(response.status()).toBe(403);
    });
    expect(await outcomeOf(eventId)).toBe('MISCONFIGURED');
    requested.splice(
      0,
      requested.length,
      ...requested.filter((each) => !each.startsWith('http://evil.example')),
    );
  }, 40_000);

  test('shows who did what with the command and on a page, on the smallest screen', async () => {
    const { eventId } = await failOnce();
    const { env } = consortium.services;
    for (const args of [
      ['library', 'pause', 'lakeside', '--until', '1h', '--reason', 'Koha upgrade'],
      ['library', 'resume', 'lakeside'],
      ['copies', 'list', '--at', 'riverside'],
    ])
      expect(await runPassport(args, { env })).toMatchObject({ code: 0 });
    const context = await openContext(operator(), { viewport: { width: 320, height: 640 }, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(`${url()}/events/riverside/${eventId}`);
    await Promise.all([page.waitForURL(/done=retry-done/), page.click('button:has-text("Retry")')]);
    const rows = async (): Promise<string[]> => {
      await page.goto(`${url()}/audit`);
      return page.locator('tbody tr').allInnerTexts();
    };
    const acts = await waitFor(
      'the retry in the audit',
      async () => {
        const all = (await rows()).map((text) => text.replaceAll(/\s+/g, ' '));
        // The form that was refused in the test before is kept a few seconds later.
        const newest = all.filter((text) => !text.includes('from another site')).slice(0, 4);
        return newest[0]?.includes(eventId) === true ? newest : null;
      },
      { timeoutMs: 20_000 },
    );
    expect(acts).toEqual([
      expect.stringMatching(/operator dashboard.* retry .*done/),
      expect.stringMatching(/command.* copies list .*Riverside/i),
      expect.stringMatching(/command.* resume .*Lakeside/i),
      expect.stringMatching(/command.* pause .*Lakeside.*because Koha upgrade/i),
    ]);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    await context.close();
  }, 60_000);

  test.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 390, height: 844 }],
  ] as const)(
    'has no barriers that axe knows of (%s)',
    async (colorScheme, viewport) => {
      const { eventId, patron } = await onceFilled();
      const linked = await onPage(openContext(operator()), '/', (page) =>
        page.evaluate<string[]>('Array.from(document.querySelectorAll("nav a"), (link) => link.pathname)'),
      );
      const pages = linked.filter((path) => !path.startsWith('/board/'));
      expect(pages).toEqual(expect.arrayContaining(['/statistics', '/sweeps', '/patrons']));
      const more = [
        '/events?state=failed',
        `/events/riverside/${eventId}`,
        '/libraries/riverside',
        '/events?state=done&library=riverside',
        '/statistics?lending=riverside',
        '/sweeps?lending=riverside',
        '/libraries/riverside/findings',
        '/patrons/midland',
        `/patrons/midland/${patron}`,
        '/runbook',
      ];
      const shown = new Map([
        ['/statistics', 'Loans of visitors'],
        ['/libraries/riverside', 'Copies to look at'],
        ['/libraries/riverside/findings', 'the patron has left the home library'],
        ['/patrons', 'midland library'],
        ['/patrons/midland', String(patron)],
      ]);
      // One window for all pages: a new one for each takes longer than the pages themselves.
      const context = await openContext(operator(), { colorScheme, viewport, bypassCSP: true });
      const page = await context.newPage();
      for (const path of [...pages, ...more]) {
        await page.goto(`${url()}${path}`, { waitUntil: 'load' });
        expect([path, await violations(page)]).toEqual([path, []]);
        expect(await page.innerText('main')).toContain(shown.get(path) ?? '');
        const width = await page.evaluate('document.documentElement.scrollWidth');
        expect([path, width]).toEqual([path, viewport.width]);
        const hidden = await page.evaluate(
          'Array.from(document.querySelectorAll(".scroll:has(> .times)"), (each) => each.scrollWidth - each.clientWidth).filter((hidden) => hidden > 0)',
        );
        expect([path, hidden]).toEqual([path, []]);
        // As wide as A4 between its margins: nothing can be scrolled on paper.
        await page.emulateMedia({ media: 'print' });
        await page.setViewportSize({ width: 718, height: 1_000 });
        const printed = await page.evaluate('document.documentElement.scrollWidth');
        expect([path, printed]).toEqual([path, 718]);
        await page.emulateMedia({ media: 'screen' });
        await page.setViewportSize(viewport);
      }
      await context.close();
    },
    120_000,
  );

  test('where colours are the user’s own, what was told apart by colour has edges', async () => {
    await failOnce();
    const context = openContext(operator(), {
      forcedColors: 'active',
      viewport: { width: 1366, height: 768 },
    });
    const edges = await onPage(context, '/events?state=failed', (page) =>
      page.evaluate<string[]>(
        'Array.from(document.querySelectorAll(".code, .tabs [aria-current], .role"), (each) => `${getComputedStyle(each).borderTopWidth} ${getComputedStyle(each).outlineStyle}`)',
      ),
    );
    expect(edges.length).toBeGreaterThan(2);
    expect(edges.filter((edge) => edge === '0px none')).toEqual([]);
  }, 40_000);

  test('text in a chart has the size of other small text, however wide the chart is', async () => {
    for (const width of [320, 1366]) {
      const context = openContext(operator(), { viewport: { width, height: 768 } });
      const height = await onPage(context, '/statistics', (page) =>
        page.evaluate<number>('document.querySelector(".axis").getBoundingClientRect().height'),
      );
      expect([width, height > 11 && height < 17]).toEqual([width, true]);
    }
  }, 40_000);

  test('a browser forgets the password of somebody who logs out', async () => {
    const { username, password } = operator();
    // Its addresses have the password, so it is no context of `openContext`.
    const context = await browser.newContext();
    const page = await context.newPage();
    const statusAt = async (path: string, go: () => Promise<unknown>): Promise<number> => {
      const answer = page.waitForResponse((response) => new URL(response.url()).pathname === path);
      // Where nobody answers the prompt for a password, the browser calls it a failure.
      await go().catch(() => undefined);
      return (await answer).status();
    };
    const open = (path: string) => statusAt(path, () => page.goto(`${url()}${path}`));
    await page.goto(url().replace('//', `//${username}:${password}@`));
    expect(await open('/statistics')).toBe(200); // with what the browser has kept
    const logOut = page.getByRole('link', { name: 'Log out' });
    expect(await statusAt('/logout', () => logOut.click())).toBe(401);
    expect(await open('/statistics')).toBe(401);
    await context.close();
  }, 60_000);

  test('requests nothing from outside, and shows nothing that is somebody’s own', async () => {
    expect(requested.filter((each) => !each.startsWith(`${url()}/`) && !each.startsWith('data:'))).toEqual(
      [],
    );
    expect(bodies.length).toBeGreaterThan(20);
    const all = bodies.join('\n');
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
    const logs = await consortium.services.logs();
    expect(secrets.filter((secret) => logs.includes(secret))).toEqual([]);
  });
});
