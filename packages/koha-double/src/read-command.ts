import { isRelease, releases } from './release.ts';
import { isSeedName, seedNames } from './seed/seeds.ts';
import type { KohaDoubleOptions } from './start-koha-double.ts';

export type DoubleCommand = KohaDoubleOptions;

export const usage = `koha-double: a stand-in for one Koha, or several in one process

  --library NAME[:PORT]   id of the library; may be repeated                  DOUBLE_LIBRARY
  --port N                port of the first without its own, default any free DOUBLE_PORT
  --host ADDRESS          default 127.0.0.1                                   DOUBLE_HOST
  --seed NAME             empty, ${seedNames.join(', ')}; default: the library's own, or empty  DOUBLE_SEED
  --release R             ${releases.join(', ')}; default 24.11                        DOUBLE_RELEASE
  --latency MS            added before each API answer                        DOUBLE_LATENCY_MS
  --credentials HOW       derived (default) or random                         DOUBLE_CREDENTIALS
  --no-plugin             a Koha without the passport plugin
  --receiver URL          where its plugin side sends events                  DOUBLE_RECEIVER_URL
                          signed with                                         DOUBLE_WEBHOOK_SECRET
  --plugin-script FILE    the plugin's desk/main.js, for the staff pages      DOUBLE_PLUGIN_SCRIPT
  --plugin-pages FILE     the plugin's t/bin/plugin-page.pl, for its pages    DOUBLE_PLUGIN_PAGES
  --kpz FILE              the packed plugin, offered for download             DOUBLE_KPZ

Prints {"library", "url", "client_id", "client_secret"} for each, one line of JSON.
With several libraries each may have its own, DOUBLE_WEBHOOK_SECRET_MIDLAND.
`;

type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line and the environment say, or what is wrong with it. */
export function readCommand(flags: Flags, env: Environment): readonly DoubleCommand[] | string {
  const text = (flag: string, variable: string): string | undefined => {
    const value = flags[flag];
    return typeof value === 'string' ? value : env[variable];
  };
  const names = libraryNames(flags['library'], env['DOUBLE_LIBRARY']);
  const release = text('release', 'DOUBLE_RELEASE') ?? '24.11';
  const seed = text('seed', 'DOUBLE_SEED');
  const latency = text('latency', 'DOUBLE_LATENCY_MS') ?? '0';
  const port = text('port', 'DOUBLE_PORT');
  const credentials = text('credentials', 'DOUBLE_CREDENTIALS') ?? 'derived';
  if (names.length === 0) return 'no --library';
  if (!isRelease(release)) return `no release ${release}: ${releases.join(', ')}`;
  if (seed !== undefined && seed !== 'empty' && !isSeedName(seed)) return `no seed ${seed}`;
  if (!isPort(latency) || (port !== undefined && !isPort(port))) return '--port and --latency are numbers';
  if (names.some(({ ownPort }) => Number.isNaN(ownPort))) return '--port and --latency are numbers';
  if (credentials !== 'derived' && credentials !== 'random') return '--credentials is derived or random';
  return names.map(({ name, ownPort }, index) => {
    const receiverUrl = text('receiver', 'DOUBLE_RECEIVER_URL');
    const secret = secretOf(name, env);
    const pluginScriptPath = text('plugin-script', 'DOUBLE_PLUGIN_SCRIPT');
    const pluginPagesPath = text('plugin-pages', 'DOUBLE_PLUGIN_PAGES');
    const kpzPath = text('kpz', 'DOUBLE_KPZ');
    return {
      library: name,
      port: ownPort ?? (index === 0 && port !== undefined ? Number(port) : 0),
      host: text('host', 'DOUBLE_HOST') ?? '127.0.0.1',
      seed: seed ?? (isSeedName(name) ? name : 'empty'),
      release,
      latencyMs: Number(latency),
      credentials,
      plugin: flags['no-plugin'] !== true,
      ...(pluginScriptPath === undefined ? {} : { pluginScriptPath }),
      ...(pluginPagesPath === undefined ? {} : { pluginPagesPath }),
      ...(kpzPath === undefined ? {} : { kpzPath }),
      webhook: receiverUrl === undefined || secret === undefined ? undefined : { receiverUrl, secret },
    };
  });
}

interface NamedLibrary {
  readonly name: string;
  readonly ownPort: number | undefined;
}

function libraryNames(flag: Flags[string], variable: string | undefined): NamedLibrary[] {
  const given = Array.isArray(flag) ? flag.map(String) : (variable?.split(',') ?? []);
  return given.map((entry) => {
    const [name = '', port] = entry.trim().split(':');
    return { name, ownPort: port === undefined ? undefined : Number(port) };
  });
}

function secretOf(library: string, env: Environment): string | undefined {
  const own = `DOUBLE_WEBHOOK_SECRET_${library.toUpperCase().replace(/\W/g, '_')}`;
  return env[own] ?? env['DOUBLE_WEBHOOK_SECRET'];
}

function isPort(value: string): boolean {
  return /^\d{1,5}$/.test(value);
}
