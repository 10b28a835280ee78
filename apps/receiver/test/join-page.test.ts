import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leakGuard, startRedis } from '@passport/testkit';
import { readJoinFiles } from '../src/joining/join-files.ts';
import { openReceiver } from './receiver-fixture.ts';

const own = leakGuard({ beforeEach, afterEach });
const plugin = { name: 'patron-passport-1.0.0.kpz', bytes: Buffer.from('PK') };
const open = async (joinFiles: Parameters<typeof openReceiver>[0]['joinFiles']) => {
  const server = own({ ...(await startRedis()), close: () => undefined });
  own({ close: () => server.stop() });
  return own(await openReceiver({ redisUrl: server.url, ...(joinFiles && { joinFiles }) }));
};

test('the page of a link runs nothing, calls nothing, and offers what there is', async () => {
  const { url } = await open({ plugin, guide: '<h1 id="x">Guide</h1>' });
  const page = await fetch(`${url}/join`);
  const html = await page.text();
  const policy = page.headers.get('content-security-policy') ?? '';
  const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '';
  expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  expect(policy).toMatch(/^default-src 'none';.*form-action 'none'/);
  expect(policy).not.toMatch(/script|unsafe/);
  expect(html).not.toMatch(/<script|<form|<iframe|<img|\son\w+=|\ssrc=/i);
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  expect(page.headers.get('cache-control')).toBe('no-store');
  const links = [...html.matchAll(/href="([^"]+)"/g)].map(([, link]) => new URL(link ?? '', `${url}/join`));
  expect(links.map(({ pathname }) => pathname)).toEqual(['/join/patron-passport-1.0.0.kpz', '/join/guide']);
  const [kpz, guide] = await Promise.all(links.map((link) => fetch(link)));
  expect([await kpz?.text(), kpz?.headers.get('content-disposition')]).toEqual([
    'PK',
    'attachment; filename="patron-passport-1.0.0.kpz"',
  ]);
  expect(await guide?.text()).toContain('<h1 id="x">Guide</h1>');
});

test('a build without plugin and guide offers neither', async () => {
  const { url } = await open(readJoinFiles('/nowhere'));
  const html = await (await fetch(`${url}/join`)).text();
  expect(html).toContain('your operator has it');
  expect(html).not.toContain('href');
  for (const path of ['guide', plugin.name, '../package.json', '%2e%2e%2fpackage.json', 'x.kpz'])
    expect((await fetch(`${url}/join/${path}`)).status).toBe(404);
});
