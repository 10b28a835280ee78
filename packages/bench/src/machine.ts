import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { findRedisServer } from '@passport/testkit';

/** Where the figures were taken, and of what: ratios travel, figures do not. */
export async function describeMachine(): Promise<Readonly<Record<string, string | number>>> {
  return {
    commit: await firstLine('git', ['describe', '--always', '--dirty', '--abbrev=12']),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    redis: /v=(\S+)/.exec(await firstLine(findRedisServer(), ['--version']))?.[1] ?? 'unknown',
  };
}

async function firstLine(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: import.meta.dirname });
    return stdout.split('\n')[0] ?? '';
  } catch {
    return 'unknown';
  }
}
