import { describe, expect, test } from '@jest/globals';
import { readCommand } from '../src/read-command.ts';

describe('the command', () => {
  test('one library with the given options', () => {
    const options = '--library midland:8091 --seed empty --release 25.11 --latency 50 --no-plugin';
    const env = { DOUBLE_WEBHOOK_SECRET: 'whsec_x' };
    expect(readCommand([...options.split(' '), '--receiver', 'http://127.0.0.1:8080'], env)).toEqual([
      {
        library: 'midland',
        port: 8091,
        host: '127.0.0.1',
        seed: 'empty',
        release: '25.11',
        latencyMs: 50,
        plugin: false,
        webhook: { receiverUrl: 'http://127.0.0.1:8080', secret: 'whsec_x' },
      },
    ]);
  });

  test('several libraries, each with its own port, seed and secret', () => {
    const options =
      '--library midland:8091 --library lakeside:8093 --library elsewhere --host 0.0.0.0 --receiver http://receiver:8080';
    const env = {
      DOUBLE_WEBHOOK_SECRET_MIDLAND: 'whsec_m',
      DOUBLE_WEBHOOK_SECRET_LAKESIDE: 'whsec_l',
    };
    expect(readCommand(options.split(' '), env)).toMatchObject([
      { library: 'midland', port: 8091, seed: 'midland', host: '0.0.0.0', webhook: { secret: 'whsec_m' } },
      { library: 'lakeside', port: 8093, seed: 'lakeside', webhook: { secret: 'whsec_l' } },
      { library: 'elsewhere', port: 0, seed: 'empty', webhook: undefined },
    ]);
  });

  test.each([
    ['', 'no --library'],
    ['--library x --release 1.0', 'no release 1.0'],
    ['--library x --seed atlantis', 'no seed atlantis'],
    ['--library x --latency long', '--latency'],
    ['--library x:eighty', 'a port'],
  ])('"%s" is refused: %s', (options, text) => {
    expect(readCommand(options.split(' ').filter(Boolean), {})).toContain(text);
  });

  test('help is wanted', () => {
    expect(readCommand(['--help'], {})).toBeNull();
  });
});
