import { spawnSync } from 'node:child_process';
import { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startKohaDouble, type KohaDouble } from '@passport/koha-double';

const PLUGIN = fileURLToPath(new URL('../../../apps/koha-plugin', import.meta.url));
const CLASS = 'Koha/Plugin/Org/PatronPassport';
const WRITE_SCRIPT = 'binmode STDOUT; print Koha::Plugin::Org::PatronPassport::DeskScript::script(shift)';

/** The script as the plugin's own Perl builds it, or null on a machine without Perl or a module that it needs. */
function perlScript(): string | null {
  const found = spawnSync('perl', ['-MMojo::File', '-MModern::Perl', '-e1'], { stdio: 'ignore' });
  if (found.status !== 0) return null;
  const module = '-MKoha::Plugin::Org::PatronPassport::DeskScript';
  const args = [`-I${PLUGIN}`, module, '-e', WRITE_SCRIPT, `${PLUGIN}/${CLASS}`];
  return spawnSync('perl', args, { encoding: 'utf8' }).stdout;
}

const builtByPerl = perlScript();
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
    expect(script).toBe(builtByPerl);
  });
});
