import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Where the figures were taken: ratios travel, figures do not. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    load_before: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
