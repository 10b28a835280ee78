import { spawnSync } from 'node:child_process';
import { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startKohaDouble, type KohaDouble } from '@passport/koha-double';

const PLUGIN = fileURLToPath(new URL('../../../apps/koha-plugin', import.meta.url));
const CLASS = 'Koha/Plugin/Org/PatronPassport';
/** The script, and what stands in the head of a page. */
const WRITE = ['script', 'first_keys'].map(
  (name) => `binmode STDOUT; print Koha::Plugin::Org::PatronPassport::DeskScript::${name}(shift)`,
);

/** Both as the plugin's own Perl builds them, or null on a machine without Perl or a module that it needs. */
function builtInPerl(): readonly string[] | null {
  const found = spawnSync('perl', ['-MMojo::File', '-MModern::Perl', '-e1'], { stdio: 'ignore' });
  if (found.status !== 0) return null;
  const module = '-MKoha::Plugin::Org::PatronPassport::DeskScript';
  return WRITE.map((program) => {
    const args = [`-I${PLUGIN}`, module, '-e', program, `${PLUGIN}/${CLASS}`];
    return spawnSync('perl', args, { encoding: 'utf8' }).stdout;
  });
}

const builtByPerl = builtInPerl();
if (builtByPerl === null)
  stderr.write("Skipped: the plugin's own desk.js (Perl or a module of it is not on this machine)\n");
const perlTest = builtByPerl === null ? test.skip : test;

describe('the one script that a browser gets', () => {
  let double: KohaDouble;
  let script = '';
  beforeAll(async () => {
    const pluginScriptPath = `${PLUGIN}/${CLASS}/desk/main.js`;
    double = await startKohaDouble({ library: 'riverside', pluginScriptPath });
    const page = await fetch(double.url);
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
    const answer = await fetch(`${double.url}/api/v1/contrib/passport/desk.js`, { headers: { cookie } });
    script = await answer.text();
  });
  afterAll(() => double?.close());

  test('leaves nothing behind in the page, and does nothing without its facts', () => {
    const requested: string[] = [];
    const page = {
      location: new URL('https://staff.example.org/cgi-bin/koha/members/member.pl'),
      document: { getElementById: (id: string) => void requested.push(id) },
    };
    const before = Object.keys(page);
    runInContext(script, createContext(page));
    expect(Object.keys(page)).toEqual(before);
    expect(requested).toEqual(['passport-standing', 'passport-desk']);
  });

  perlTest("is the stand-in's and the plugin's alike", () => {
    expect(script).toBe(builtByPerl?.[0]);
  });

  perlTest('comes after what holds the first keys, which is in the head of the page', async () => {
    const webhook = { receiver_url: 'http://127.0.0.1:1', secret: 'whsec_AAAA', library: 'riverside' };
    double.putSettings({ webhook: { ...webhook, patterns: [], staff_wait_ms: 0, self_check_wait_ms: 0 } });
    const page = await (await fetch(`${double.url}/cgi-bin/koha/circ/circulation.pl`)).text();
    // the stand-in's pages have no indentation
    const head = (builtByPerl?.[1] ?? '').replaceAll(/\n\s+/g, '\n');
    expect(head).toContain('keydown');
    expect(page.slice(0, page.indexOf('</head>'))).toContain(head);
    const other = await (await fetch(`${double.url}/cgi-bin/koha/circ/returns.pl`)).text();
    expect(other).not.toContain('keydown');
  });
});
