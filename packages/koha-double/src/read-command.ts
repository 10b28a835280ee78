import { parseArgs } from 'node:util';
import { isRelease, releases } from './release.ts';
import { isSeedName, seedNames } from './seed/seeds.ts';
import type { KohaDoubleOptions } from './start-koha-double.ts';

export const usage = `koha-double: a stand-in for one Koha, or several in one process

  --library NAME[:PORT]   id of the library, default any free port; may be repeated
  --host ADDRESS          default 127.0.0.1
  --seed NAME             empty, ${seedNames.join(', ')}; default: the library's own, or empty
  --release R             ${releases.join(', ')}; default 24.11
  --latency MS            added before each API answer
  --no-plugin             a Koha without the passport plugin
  --receiver URL          where its plugin side sends events, signed with DOUBLE_WEBHOOK_SECRET
                          or, of several libraries, DOUBLE_WEBHOOK_SECRET_MIDLAND

Prints {"library", "url", "client_id", "client_secret"} for each, one line of JSON.
`;

/** What the command line says; null: that help is wanted; or a text of what is wrong with it. */
export function readCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly KohaDoubleOptions[] | string | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      library: { ...text, multiple: true, default: [] },
      host: { ...text, default: '127.0.0.1' },
      seed: text,
      release: { ...text, default: '24.11' },
      latency: { ...text, default: '0' },
      'no-plugin': { type: 'boolean', default: false },
      receiver: text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { library, host, seed, release, latency, receiver } = values;
  if (values.help === true) return null;
  const named = library.map((entry) => entry.split(':'));
  if (named.length === 0) return 'no --library';
  if (!isRelease(release)) return `no release ${release}: ${releases.join(', ')}`;
  if (seed !== undefined && seed !== 'empty' && !isSeedName(seed)) return `no seed ${seed}`;
  if (![latency, ...named.map(([, port = '0']) => port)].every((number) => /^\d{1,5}$/.test(number)))
    return 'a port and --latency are numbers';
  return named.map(([name = '', port = '0']) => {
    const own = `DOUBLE_WEBHOOK_SECRET_${name.toUpperCase().replace(/\W/g, '_')}`;
    const secret = env[own] ?? env['DOUBLE_WEBHOOK_SECRET'];
    return {
      library: name,
      port: Number(port),
      host,
      seed: seed ?? (isSeedName(name) ? name : 'empty'),
      release,
      latencyMs: Number(latency),
      plugin: !values['no-plugin'],
      webhook: receiver === undefined || secret === undefined ? undefined : { receiverUrl: receiver, secret },
    };
  });
}
