import { execFile, spawnSync } from 'node:child_process';
import { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SENDER = fileURLToPath(new URL('../../../apps/koha-plugin/t/bin/send-event.pl', import.meta.url));
const MODULES = ['DBD::SQLite', 'Mojo::UserAgent', 'Modern::Perl', 'CGI', 'Template'];

/** How a page of Koha with the plugin in it ended. */
export interface PageEnd {
  /** Where the browser would be: `circulation.pl?borrowernumber=1`, or `member.pl?circsearch=1` for an unknown card. */
  readonly page: string;
  /** The event that was sent, or null. */
  readonly event_id: string | null;
  readonly state: string | null;
  readonly ms: number;
  /** What the plugin wrote into Koha's log. */
  readonly warnings: readonly string[];
}

/** False, with a line on standard error, on a machine without Perl or a module that the plugin's tests need, or one of `more`. */
export function canPlayPerlPage(more: readonly string[] = []): boolean {
  const { status } = spawnSync('perl', [...[...MODULES, ...more].map((name) => `-M${name}`), '-e1'], {
    stdio: 'ignore',
  });
  if (status !== 0)
    stderr.write('Skipped: the Perl sender (Perl or a module of it is not on this machine)\n');
  return status === 0;
}

/** Scans a card on a page of Koha, played by the plugin's own Perl; see `t/bin/send-event.pl` for what `env` takes. */
export async function playPerlPage(env: Readonly<Record<string, string>>): Promise<PageEnd> {
  const { stdout } = await promisify(execFile)('perl', [SENDER], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    timeout: 20_000,
  });
  return JSON.parse(stdout) as PageEnd;
}
