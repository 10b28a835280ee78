import { ConfigError, queueConfig } from '@passport/config';
import type { ActKeeper } from '@passport/queue/audit';
import type { Redis } from '@passport/runtime';
import type { CliDeps } from './cli-deps.ts';

/** A command that goes through many copies writes so often; what is the same within that time is one entry. */
const EVERY_MS = 60_000;
/** Nobody waits longer for the audit view when the work is done. */
const CLOSE_MS = 2_000;

/** What a command has done, on its way to the audit view. */
export interface CliActs {
  readonly keep: (line: Readonly<Record<string, unknown>>) => void;
  /** Waits until Redis has it, briefly; says so in the log where it has not. Never throws. */
  close(): Promise<void>;
}

/**
 * Keeps the audit lines of a command in Redis, on a connection of its own that is opened with the first line: commands that work on
 * Kohas alone have no other. The log has each line before, and nothing of the command waits for this or fails by it.
 */
export function openCliActs(deps: CliDeps): CliActs {
  let opening: ReturnType<typeof open> | null = null;
  let lines = 0;
  return {
    keep(line) {
      lines += 1;
      opening ??= open(deps).catch(() => 'REDIS_URL cannot be used');
      void opening.then((opened) => typeof opened === 'string' || opened.keeper.keep(line));
    },
    async close() {
      const opened = await opening;
      if (opened === null) return;
      if (typeof opened === 'string') return report(deps, lines, opened);
      const { closeRedis, untilRedisReady } = await import('@passport/runtime');
      const { keeper, redis } = opened;
      const isReady = await untilRefused(redis, untilRedisReady(redis, CLOSE_MS));
      const lost = await keeper.close(isReady ? CLOSE_MS : 0);
      await closeRedis(redis);
      if (lost > 0) await report(deps, lost, 'Redis does not answer at REDIS_URL');
    },
  };
}

/** Resolves once Redis is ready, or with false as soon as it has refused or the time is over. */
async function untilRefused(redis: Redis, ready: Promise<void>): Promise<boolean> {
  const settled = ready.then(
    () => true,
    () => false,
  );
  if (['reconnecting', 'close', 'end'].includes(redis.status)) return false;
  return Promise.race([
    settled,
    new Promise<boolean>((resolve) => redis.once('close', () => resolve(false))),
  ]);
}

/** The keeper, or why there is none. The queue and the client of Redis are loaded by commands that need them. */
async function open(deps: CliDeps): Promise<{ keeper: ActKeeper; redis: Redis } | string> {
  let url;
  try {
    url = queueConfig(deps.env, deps.readFile).redisUrl.reveal();
  } catch (error) {
    if (error instanceof ConfigError) return 'REDIS_URL is not set';
    throw error;
  }
  const [{ openActKeeper }, { createLogger, createRedis }] = await Promise.all([
    import('@passport/queue/audit'),
    import('@passport/runtime'),
  ]);
  const log = createLogger({ name: 'cli', level: 'silent' });
  const redis = createRedis(url, { role: 'reader', log, name: 'cli-audit' });
  const monotonicNow = (): number => performance.now();
  const keeper = openActKeeper({
    redis,
    source: 'cli',
    everyMs: EVERY_MS,
    monotonicNow,
    onLost: () => undefined,
  });
  return { keeper, redis };
}

async function report({ err }: CliDeps, lines: number, why: string): Promise<void> {
  const { createLogger } = await import('@passport/runtime');
  const destination = { write: (line: string) => err(line) } as NodeJS.WritableStream;
  createLogger({ name: 'cli', level: 'warn', destination }).warn(
    { left_out: lines, problem: why },
    'not in the audit view, only in this log',
  );
}
