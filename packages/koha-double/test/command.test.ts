import { describe, expect, test } from '@jest/globals';
import { readCommand } from '../src/read-command.ts';

describe('the command', () => {
  test('one library with the given options', () => {
    expect(
      readCommand(
        {
          library: ['midland'],
          port: '8091',
          seed: 'empty',
          release: '25.11',
          latency: '50',
          'no-plugin': true,
          receiver: 'http://127.0.0.1:8080',
          'plugin-script': '/p/desk/main.js',
        },
        { DOUBLE_WEBHOOK_SECRET: 'whsec_x' },
      ),
    ).toEqual([
      {
        library: 'midland',
        port: 8091,
        host: '127.0.0.1',
        seed: 'empty',
        release: '25.11',
        latencyMs: 50,
        credentials: 'derived',
        plugin: false,
        pluginScriptPath: '/p/desk/main.js',
        webhook: { receiverUrl: 'http://127.0.0.1:8080', secret: 'whsec_x' },
      },
    ]);
  });

  test('several libraries from the environment, each with its own port, seed and secret', () => {
    const env = {
      DOUBLE_LIBRARY: 'midland:8091,lakeside:8093,elsewhere',
      DOUBLE_RECEIVER_URL: 'http://receiver:8080',
      DOUBLE_WEBHOOK_SECRET_MIDLAND: 'whsec_m',
      DOUBLE_WEBHOOK_SECRET_LAKESIDE: 'whsec_l',
      DOUBLE_HOST: '0.0.0.0',
    };
    const commands = readCommand({}, env);
    expect(commands).toMatchObject([
      { library: 'midland', port: 8091, seed: 'midland', host: '0.0.0.0', webhook: { secret: 'whsec_m' } },
      { library: 'lakeside', port: 8093, seed: 'lakeside', webhook: { secret: 'whsec_l' } },
      { library: 'elsewhere', port: 0, seed: 'empty', webhook: undefined },
    ]);
  });

  test.each([
    [{}, 'no --library'],
    [{ library: ['x'], release: '1.0' }, 'no release 1.0'],
    [{ library: ['x'], seed: 'atlantis' }, 'no seed atlantis'],
    [{ library: ['x'], port: 'eighty' }, '--port'],
    [{ library: ['x:eighty'] }, '--port'],
    [{ library: ['x'], credentials: 'mine' }, '--credentials'],
  ])('%j is refused: %s', (flags, text) => {
    expect(readCommand(flags, {})).toContain(text);
  });
});
