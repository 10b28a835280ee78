import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startKohaDouble } from '@passport/koha-double';
import { JOIN_SECRETS, leakGuard } from '@passport/testkit';
import { FILE, request, useJoining } from './join-fixture.ts';

/** In Redis: the libraries with an open invitation. */
const INVITATIONS = '{passport}:invitations';

const joining = useJoining();
const own = leakGuard({ beforeEach, afterEach });

describe('accept', () => {
  test('of a name that stands for an inner address is refused, unless the operator says so', async () => {
    const invitation = await joining.invite();
    for (const [number, addresses] of [['10.1.2.3'], ['192.0.2.7', '::ffff:127.0.0.1']].entries()) {
      joining.lookup = () => Promise.resolve(addresses);
      const fingerprint = await joining.ask(invitation, request({ branches: number }));
      expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/staff\.midland\.example\.org stands for an address of an inner network/),
      });
      joining.unchanged();
      await joining.run(['library', 'requests', '--discard', 'midland']);
    }
    const fingerprint = await joining.ask(invitation);
    expect(await joining.acceptUntried(fingerprint, '--apply', '--allow-private')).toMatchObject({ code: 0 });
  });

  test.each([
    ['no patterns', [], /cards: is empty/],
    ["a pattern that may hide another member's", [String.raw`^(?=25678.*7$)\d{14}$`], /cannot be compared/],
  ])('of %s is refused, unless the operator says so', async (_, cards, problem) => {
    const fingerprint = await joining.ask(await joining.invite(), { cards });
    const { code, err } = await joining.acceptUntried(fingerprint, '--apply');
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(problem) });
    expect(err).toMatch(/--any-cards/);
    joining.unchanged();
    expect(await joining.acceptUntried(fingerprint, '--apply', '--any-cards')).toMatchObject({ code: 0 });
  });

  test("of another member's pattern is refused until that member says that they share cards", async () => {
    const cards = [String.raw`^25678\d{9}$`];
    const fingerprint = await joining.ask(await joining.invite(), { cards });
    for (const more of [[], ['--any-cards']])
      expect(await joining.acceptUntried(fingerprint, '--apply', ...more)).toMatchObject({
        code: 1,
        err: expect.stringMatching(
          /libraries\[1\]\.cards: a card can fit these patterns and those of riverside .*cards_shared_with/,
        ),
      });
    joining.unchanged();
    const agreed = FILE.replace('    copy:', '    cards_shared_with: [midland]\n    copy:');
    writeFileSync(joining.path, agreed);
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({ code: 0 });
    expect(joining.file()).toMatch(/id: midland[^]*cards_shared_with:\n\s+- riverside/);
  });

  describe('of a Koha that can be reached', () => {
    const start = async () => {
      const koha = own(await startKohaDouble({ library: 'midland' }));
      const { clientId: i, clientSecret: s } = koha.credentials;
      const ask = async (secrets: object = {}) =>
        joining.ask(await joining.invite(), request({ url: koha.url }), {
          secrets: { ...JOIN_SECRETS, i, s, ...secrets },
        });
      return { koha, ask };
    };

    test('tries its credentials, and a look-up of a patron', async () => {
      const { ask } = await start();
      expect(await joining.accept(await ask(), '--allow-private', '--apply')).toMatchObject({ code: 0 });
      expect(joining.file()).toMatch(/id: midland/);
    });

    test('with credentials that it does not take is refused', async () => {
      const { ask } = await start();
      const { code, err } = await joining.accept(
        await ask({ s: 'planted-secret' }),
        '--allow-private',
        '--apply',
      );
      expect({ code, err }).toEqual({
        code: 1,
        err: expect.stringMatching(/midland was tried: [^]*credentials[^]*--untried/),
      });
      expect(err).not.toMatch(/planted/);
      joining.unchanged();
    });

    test('whose user may not look patrons up is refused', async () => {
      const { koha, ask } = await start();
      koha.putSettings({ permissions: [] });
      expect(await joining.accept(await ask(), '--allow-private', '--apply')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/midland was tried: .*permission/),
      });
      joining.unchanged();
    });
  });

  test('does not enter where its invitation ends while it is looked at', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    joining.lookup = async () => {
      expect(await joining.run(['library', 'decline', 'midland'])).toMatchObject({ code: 0 });
      return ['192.0.2.1'];
    };
    expect(await joining.acceptUntried(fingerprint, '--apply')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/declined, withdrawn or accepted meanwhile: nothing was written/),
    });
    joining.unchanged();
  });

  /** While the command waits for nothing else: by a process of its own. */
  const callRedisNow = (...commands: string[]): void => {
    const { port } = new URL(joining.server.url);
    const lines = JSON.stringify([...commands, 'QUIT', ''].join('\r\n'));
    const code = `require('net').connect(${port},'127.0.0.1',function(){this.end(${lines})}).resume()`;
    expect(spawnSync(process.execPath, ['-e', code]).status).toBe(0);
  };

  test('reloads nothing where its invitation ends while it is written, and says what to take out', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    joining.written = () => callRedisNow('FLUSHALL');
    const { code, out, err } = await joining.acceptUntried(fingerprint, '--apply', '--json');
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/its invitation ended at the same moment, and nothing was reloaded/),
    });
    expect(err).toMatch(/"action":"join_accept"/);
    expect(err).not.toMatch(/no process is alive/);
    expect(JSON.parse(out)).toMatchObject({ applied: true, loaded: null });
    expect(joining.file()).toMatch(/id: midland/);
  });

  test('goes on where its invitation cannot be ended, and says how to end it', async () => {
    const fingerprint = await joining.ask(await joining.invite());
    joining.written = () => callRedisNow(`RENAME ${INVITATIONS} away`, `SET ${INVITATIONS} broken`);
    const { code, err } = await joining.acceptUntried(fingerprint, '--apply');
    await joining.server.call('RENAME', 'away', INVITATIONS);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        /could not be ended: passport library decline midland\n[^]*no process is alive/,
      ),
    });
    expect(joining.file()).toMatch(/id: midland/);
    expect(await joining.run(['library', 'decline', 'midland'])).toMatchObject({ code: 0 });
  });
});
