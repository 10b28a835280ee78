import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** By its name: this file also runs compiled, from another folder. */
const CLI = dirname(createRequire(import.meta.url).resolve('@passport/cli/package.json'));

/**
 * Runs the built `passport` command in the environment of a consortium's services, and returns what it printed. One that takes longer
 * than `mostMs` is ended.
 */
export async function runPassport(
  args: readonly string[],
  {
    env,
    input = '',
    mostMs,
  }: { readonly env: Readonly<Record<string, string>>; readonly input?: string; readonly mostMs?: number },
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [join(CLI, 'bin/passport.js'), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(mostMs === undefined ? {} : { timeout: mostMs, killSignal: 'SIGKILL' }),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
  });
  // Its pipes are sockets: one can be reset as the process ends. 'close' reports how it ended.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}
