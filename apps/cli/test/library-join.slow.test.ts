import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { JOIN_SECRETS, sealJoinSecrets } from '@passport/testkit';
import { FILE, pasted, request, useJoining } from './join-fixture.ts';
import { TERMINAL, foldedAt80, jsonOf } from './run-cli.ts';

const joining = useJoining();
describe('an invitation', () => {
  test('is a link on standard output, and nothing else is there', async () => {
    const { code, out, err } = await joining.run([
      'library',
      'invite',
      'midland',
      '--name',
      'Midland – Bücherei',
    ]);
    expect({ code, lines: out.trim().split('\n').length }).toEqual({ code: 0, lines: 1 });
    expect(out).toMatch(/^https:\/\/passport\.example\.org\/join#[\w-]{700,1500}\n$/);
    expect(err).toMatch(/"action":"join_invite"/);
    expect(err).not.toContain(out.split('#')[1]);
    expect((await joining.run(['library', 'invitations'])).out).toMatch(
      /^library .*\nmidland +\d{4}-.* +not used +Midland – Bücherei\n$/,
    );
  });

  test.each([
    [
      'of a library that is a member',
      ['riverside', '--name', 'X'],
      /riverside is in the configuration already/,
    ],
    ['of an id that is none', ['a b', '--name', 'X'], /the id must have/],
    ['of a name with a line break', ['midland', '--name', 'a\n- id: x'], /the name must be/],
    ['for longer than a month', ['midland', '--name', 'X', '--days', '31'], /from 1 to 30/],
    ['in plain http', ['midland', '--name', 'X', '--receiver', 'http://passport.example.org'], /plain http/],
  ])('%s is not made', async (_, args, problem) => {
    expect(await joining.run(['library', 'invite', ...args])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(problem),
    });
  });

  test('needs to know where Kohas reach the receiver', async () => {
    writeFileSync(joining.path, FILE.replace(/^public.*\n/m, ''));
    const args = ['library', 'invite', 'midland', '--name', 'M'];
    expect((await joining.run(args)).err).toMatch(
      /set public\.receiver in the configuration, or pass --receiver/,
    );
    expect((await joining.run([...args, '--receiver', 'https://p.example.org/'])).out).toMatch(
      /^https:\/\/p\.example\.org\/join#/,
    );
  });

  test('is made once for a library, until it is withdrawn', async () => {
    await joining.invite();
    const again = ['library', 'invite', 'midland', '--name', 'M'];
    expect(await joining.run(again)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/withdraw it first/),
    });
    expect(await joining.run(['library', 'withdraw', 'midland'])).toMatchObject({ code: 0 });
    expect(await joining.run(again)).toMatchObject({ code: 0 });
  });
});

describe('a request', () => {
  test('is shown with its fingerprint and what it asks for, and no secret', async () => {
    const invitation = await joining.invite();
    const fingerprint = await joining.ask(invitation);
    const { out } = await joining.run(['library', 'requests']);
    expect(out).toContain(`fingerprint  ${fingerprint}`);
    expect(out).toContain('Koha         https://staff.midland.example.org\n');
    expect(out).toContain('$ passport library accept midland --fingerprint "WHAT IT READS"');
    for (const secret of [...Object.values(JOIN_SECRETS), invitation.token])
      expect(out).not.toContain(secret);
    expect(jsonOf(await joining.run(['library', 'requests', '--json']))).toMatchObject({
      requests: [
        {
          library: 'midland',
          request: { fingerprint },
          koha: { branches: 3 },
          cards: [String.raw`^21234\d{9}$`],
        },
      ],
    });
  });

  test('and its invitation fit a terminal of 80 columns, with names as long as they may be', async () => {
    const id = 'of-a-consortium-that-has-very-long-ids-x';
    await joining.ask(
      { ...(await joining.invite(id)), name: 'A name' },
      request({
        url: `https://${'staff-of-a-library.'.repeat(3)}example.org`,
        version: '25.05.01.000-of-a-package',
      }),
    );
    joining.env['PASSPORT_INSTALL'] = 'compose';
    for (const list of ['invitations', 'requests']) {
      const { out } = await joining.run(['library', list], '', TERMINAL);
      expect(out).toContain(id);
      expect(foldedAt80(out)).toEqual([]);
    }
  });

  test('may be pasted, whenever it was made, and its lines may be broken', async () => {
    const invitation = await joining.invite();
    const text = pasted(invitation, { sent_at: 1_000_000_000 }).replaceAll(
      /.{60}/g,
      '$&\n> '.replace('> ', ''),
    );
    const { code, out, err } = await joining.run(['library', 'requests', '--paste'], text);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^midland: Library of midland\n {2}fingerprint/),
    });
    expect(err).toMatch(/"action":"join_request"/);
    expect(await joining.run(['library', 'requests', '--paste'], text)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/was here already/),
    });
  });

  test.each([
    ['something else', 2, () => 'Dear operator', /standard input has no request/],
    ['far too much', 2, () => 'x'.repeat(100_000), /standard input has no request/],
  ])('that is %s is not taken', async (_, code, text, problem) => {
    await joining.invite();
    expect(await joining.run(['library', 'requests', '--paste'], text())).toMatchObject({
      code,
      err: expect.stringMatching(problem),
    });
  });

  test('that no key of this process opens is listed beside the others, and says why it cannot be read', async () => {
    await joining.ask(await joining.invite());
    joining.env['PASSPORT_KEY'] = randomBytes(32).toString('base64');
    const { code, out } = await joining.run(['library', 'requests']);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^midland: Library of midland\n {2}fingerprint/),
    });
    expect(out).toMatch(/PASSPORT_KEY has none of the keys/);
    expect(out).toContain('$ passport library decline midland');
    expect(out).not.toMatch(/accept/);
    expect(jsonOf(await joining.run(['library', 'requests', '--json']))).toMatchObject({
      requests: [{ library: 'midland', request: { fingerprint: expect.any(String) } }],
    });
  });

  test('that was altered on its way, or is of another invitation, is not taken', async () => {
    const invitation = await joining.invite();
    const others = await joining.invite('prairie');
    const forged = pasted({ ...others, token: invitation.token });
    expect(await joining.run(['library', 'requests', '--paste'], forged)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/of no open invitation/),
    });
    const shown = await joining.run(['library', 'requests']);
    expect(shown.out).toBe('no requests\n');
  });

  test('with escape codes or marks of direction in it is refused, and never shown', async () => {
    const invitation = await joining.invite();
    for (const version of ['\u001B[2J\u001B]0;x\u0007', '\u202Egnp.exe', '1\u200B']) {
      const text = pasted(invitation, request({ version }));
      expect(await joining.run(['library', 'requests', '--paste'], text)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/koha\.version must not hold control or format characters/),
      });
    }
  });

  test('is discarded, and the library may ask again, but not with the same', async () => {
    const invitation = await joining.invite();
    const first = pasted(invitation);
    await joining.run(['library', 'requests', '--paste'], first);
    expect(await joining.run(['library', 'requests', '--paste'], pasted(invitation))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/another request waits/),
    });
    expect(await joining.run(['library', 'requests', '--discard', 'midland'])).toMatchObject({
      out: 'no requests\n',
    });
    expect(await joining.run(['library', 'requests', '--paste'], first)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/discarded before/),
    });
    expect(await joining.run(['library', 'requests', '--paste'], pasted(invitation))).toMatchObject({
      code: 0,
    });
  });
});

describe('accept', () => {
  test('shows what it would write, and writes nothing', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    const { code, out, err } = await joining.acceptUntried(fingerprint);
    expect(code).toBe(0);
    expect(out).toMatch(/ {2}- id: midland\n[^]*mode: observe/);
    expect(err).toMatch(/this is the plan: nothing was changed/);
    expect(joining.file()).toBe(FILE);
    expect(readdirSync(joining.folder)).toEqual(['passport.yaml']);
  });

  test('writes the library behind the others and its secrets into files of their own, and the invitation is used', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    const { code, out, err } = await joining.acceptUntried(fingerprint.replaceAll(' ', ''), '--apply');
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/"action":"join_accept"/) });
    const text = joining.file();
    expect(text.startsWith(FILE.slice(0, FILE.indexOf('agreements')))).toBe(true);
    expect(text.endsWith('agreements: all # with all\n')).toBe(true);
    for (const [name, value] of [
      ['koha/midland_client_id', JOIN_SECRETS.i],
      ['koha/midland_client_secret', JOIN_SECRETS.s],
      ['webhook/midland', JOIN_SECRETS.w],
    ] as const) {
      const path = join(joining.folder, 'secrets', name);
      expect(text).toContain(`file: ${path}`);
      expect(readFileSync(path, 'utf8')).toBe(`${value}\n`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      for (const shown of [text, out, err]) expect(shown).not.toContain(value);
    }
    const checked = jsonOf(await joining.run(['config', 'check', '--json']));
    expect(checked).toMatchObject({
      ok: true,
      config: {
        libraries: [
          { id: 'riverside' },
          {
            id: 'midland',
            name: 'Library of midland',
            koha: { url: 'https://staff.midland.example.org' },
            cards: [String.raw`^21234\d{9}$`],
            copy: {
              mode: 'observe',
              category: 'PASSPORT',
              passport_attribute: 'PASSPORTED',
              home_key_attribute: 'PASSPORTED_ID',
            },
          },
        ],
      },
    });
    expect(await joining.redis.keys('*invitation*')).toEqual([]);
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no open invitation/),
    });
  });

  test('of a library that only shares writes no webhook secret', async () => {
    const fingerprint = await joining.ask(
      await joining.invite(),
      {},
      { secrets: { ...JOIN_SECRETS, w: null } },
    );
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({ code: 0 });
    expect(joining.file()).not.toMatch(/midland[^]*webhook_secrets/);
    expect(existsSync(join(joining.folder, 'secrets/webhook'))).toBe(false);
  });

  test("appends lines where an installation keeps secrets so, as Debian's package does, and says what to restart", async () => {
    const secrets = join(joining.folder, 'etc');
    joining.env['PASSPORT_SECRETS'] = secrets;
    mkdirSync(secrets);
    writeFileSync(join(secrets, 'koha.env'), '# keys\nRIVERSIDE_ID=x', { mode: 0o640 });
    writeFileSync(join(secrets, 'webhook.env'), '');
    const fingerprint = await joining.ask(await joining.invite());
    const { code, err } = await joining.acceptUntried(fingerprint, '--apply');
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringMatching(/systemctl restart 'patron-passport-worker@\*'/),
    });
    expect(readFileSync(join(secrets, 'koha.env'), 'utf8')).toBe(
      `# keys\nRIVERSIDE_ID=x\nMIDLAND_CLIENT_ID=${JOIN_SECRETS.i}\nMIDLAND_CLIENT_SECRET=${JOIN_SECRETS.s}\n`,
    );
    expect(statSync(join(secrets, 'koha.env')).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(secrets, 'webhook.env'), 'utf8')).toBe(
      `MIDLAND_WEBHOOK_SECRET=${JOIN_SECRETS.w}\n`,
    );
    expect(joining.file()).toContain('env: MIDLAND_CLIENT_ID');
  });

  test('of another fingerprint is refused, and does not say the right one', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    const { code, err } = await joining.acceptUntried('00000 00000 00000 00000', '--apply');
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/somebody else has sent it: passport library decline midland/),
    });
    expect(err).not.toContain(fingerprint);
    joining.unchanged();
  });

  test('with a leaked link: the request of somebody else is declined, and the library is invited anew', async () => {
    const invitation = await joining.invite();
    await joining.ask(invitation, request({ url: 'https://attacker.example.org' }));
    const [own] = [pasted(invitation)];
    expect((await joining.run(['library', 'requests', '--paste'], own)).err).toMatch(/another request waits/);
    expect(await joining.run(['library', 'decline', 'midland'])).toMatchObject({ code: 0 });
    expect((await joining.run(['library', 'requests', '--paste'], own)).err).toMatch(/of no open invitation/);
    const fingerprint = await joining.ask(await joining.invite());
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({ code: 0 });
    expect(joining.file()).not.toMatch(/attacker/);
  });

  test.each([
    ['https://127.0.0.1', /inner network/],
    ['https://10.1.2.3:8443', /inner network/],
    ['https://169.254.169.254/latest', /inner network/],
    ['https://[::1]', /inner network/],
    ['https://[::ffff:10.0.0.1]', /inner network/],
    ['https://0x7f.1', /inner network/],
    ['https://2130706433', /inner network/],
    ['https://redis', /inner network/],
    ['https://koha.internal.', /inner network/],
    ['http://staff.midland.example.org', /not https/],
    ['file:///etc/passwd', /inner network|not https/],
    ['https://user:planted@staff.midland.example.org', /user name or a password/],
    ['https://staff.midland.example.org/?x', /query or a fragment/],
    ['not an address', /is not a URL/],
    ['http://127.0.0.1:9', /inner network/],
  ])('of the address %s is refused', async (url, problem) => {
    const fingerprint = await joining.ask(await joining.invite(), request({ url }));
    const { code, err } = await joining.acceptUntried(fingerprint, '--apply');
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(problem) });
    expect(err).not.toContain('planted');
    joining.unchanged();
  });

  test("of another member's address is refused even where inner addresses are allowed", async () => {
    const fingerprint = await joining.ask(await joining.invite(), request({ url: 'http://127.0.0.1:9' }));
    expect(await joining.acceptUntried(fingerprint, '--apply', '--allow-private')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/libraries\[1\]\.koha\.url/),
    });
    joining.unchanged();
  });

  test('of an inner address is possible where the operator says so', async () => {
    const fingerprint = await joining.ask(await joining.invite(), request({ url: 'http://midland:8091' }));
    expect(await joining.acceptUntried(fingerprint, '--apply', '--allow-private')).toMatchObject({ code: 0 });
    expect(joining.file()).toMatch(/url: http:\/\/midland:8091\n +allow_http: true/);
  });

  test('of an address of the internet is possible without a name', async () => {
    const fingerprint = await joining.ask(await joining.invite(), request({ url: 'https://203.0.113.7' }));
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({ code: 0 });
  });

  test('of what is no address at all says so where inner addresses are allowed, too', async () => {
    const fingerprint = await joining.ask(await joining.invite(), request({ url: 'not an address' }));
    expect(await joining.acceptUntried(fingerprint, '--apply', '--allow-private')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/koha\.url is not a URL/),
    });
    joining.unchanged();
  });

  test('writes no variable a second time where an accept was broken off', async () => {
    const secrets = join(joining.folder, 'etc');
    joining.env['PASSPORT_SECRETS'] = secrets;
    mkdirSync(secrets);
    writeFileSync(join(secrets, 'koha.env'), 'MIDLAND_CLIENT_ID=x\n');
    writeFileSync(join(secrets, 'webhook.env'), '');
    const fingerprint = await joining.ask(await joining.invite());
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/koha\.env has a line MIDLAND_CLIENT_ID already/),
    });
    expect(joining.file()).toBe(FILE);
  });

  test.each([
    ['^(a+)+$', /could take very long/],
    ['(', /no regular expression/],
    ['^25678\\d{9}$\n', /must not hold control/],
  ])('of the pattern %j is refused', async (pattern, problem) => {
    const fingerprint = await joining.ask(await joining.invite(), { cards: [pattern] });
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(problem),
    });
    joining.unchanged();
  });

  test('keeps what would be YAML in a text as text', async () => {
    const category = ': {x} #';
    const copy = { category, passport_attribute: '- id: evil', home_key_attribute: '&a *b !!x' };
    const cards = [String.raw`^'"#:,\[\]\{\}$`, '^!!binary$'];
    const fingerprint = await joining.ask(await joining.invite(), { copy, cards });
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({ code: 0 });
    expect(jsonOf(await joining.run(['config', 'check', '--json']))).toMatchObject({
      config: { libraries: [{ id: 'riverside' }, { id: 'midland', cards, copy }] },
    });
  });

  test('of secrets that do not open, or would not fit a file of lines, is refused', async () => {
    const invitation = await joining.invite();
    for (const secrets of [
      { ...JOIN_SECRETS, s: 'a\nB=c' },
      { ...JOIN_SECRETS, i: '' },
      { ...JOIN_SECRETS, w: 'whsec_c2hvcnQ=' },
      { i: 1 },
    ]) {
      const sealed = sealJoinSecrets(invitation, secrets);
      const fingerprint = await joining.ask(invitation, { sealed });
      expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/cannot be opened/),
      });
      await joining.run(['library', 'requests', '--discard', 'midland']);
    }
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
    const other = { key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url') };
    const fingerprint = await joining.ask(invitation, { sealed: sealJoinSecrets(other, JOIN_SECRETS) });
    expect((await joining.acceptUntried(fingerprint, '--apply')).err).toMatch(/cannot be opened/);
    joining.unchanged();
  });

  test("of another library's seal beside an address of one's own is refused", async () => {
    const invitation = await joining.invite();
    const sealed = sealJoinSecrets(invitation, JOIN_SECRETS);
    const attacker = { ...request({ url: 'https://attacker.example.org' }), sealed };
    const fingerprint = await joining.ask(invitation, attacker);
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/sealed for another address/),
    });
    joining.unchanged();
  });

  test('cannot take the place of a library that became a member meanwhile', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    writeFileSync(joining.path, FILE.replace('id: riverside', 'id: midland'));
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in the configuration already: nobody can take its place/),
    });
  });

  test('twice at once is done once', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    const both = await Promise.all([
      joining.acceptUntried(fingerprint, '--apply'),
      joining.acceptUntried(fingerprint, '--apply'),
    ]);
    expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(joining.file().match(/id: midland/g)).toHaveLength(1);
  });

  test('of two libraries at once loses neither', async () => {
    const first = await joining.ask(await joining.invite());
    const secrets = { i: 'prairie-id', s: 'prairie-secret-7f3e9a', w: null };
    const address = request({ url: 'https://koha.prairie.example.org' });
    const second = await joining.ask(
      await joining.invite('prairie'),
      { ...address, cards: ['^P\\d{6}$'] },
      { secrets },
    );
    const other = () =>
      joining.run(['library', 'accept', 'prairie', '--fingerprint', second, '--untried', '--apply']);
    await Promise.all([joining.acceptUntried(first, '--apply'), other()]);
    const ids = () => [...joining.file().matchAll(/- id: (\w+)/g)].map(([, id]) => id);
    if (ids().length === 2)
      await (ids().includes('midland') ? other() : joining.acceptUntried(first, '--apply'));
    expect(new Set(ids())).toEqual(new Set(['riverside', 'midland', 'prairie']));
  });

  test('writes over no secret that is there, and leaves nothing behind', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    mkdirSync(join(joining.folder, 'secrets/webhook'), { recursive: true });
    const path = join(joining.folder, 'secrets/webhook/midland');
    writeFileSync(path, 'older');
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is there already: nothing was written/),
    });
    expect(joining.file()).toBe(FILE);
    expect(readFileSync(path, 'utf8')).toBe('older');
    expect(readdirSync(join(joining.folder, 'secrets/koha'))).toEqual([]);
    expect(readdirSync(joining.folder).toSorted()).toEqual(['passport.yaml', 'secrets']);
  });

  test('stops where another command was broken off, and says what to remove', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    writeFileSync(`${joining.path}.new`, '');
    expect((await joining.acceptUntried(fingerprint, '--apply')).err).toMatch(
      /passport\.yaml\.new is there already/,
    );
    expect(joining.file()).toBe(FILE);
    expect(existsSync(`${joining.path}.new`)).toBe(true);
  });
});
