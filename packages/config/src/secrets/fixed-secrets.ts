import { Secret } from './secret.ts';

/**
 * How many secrets of a configuration stay what they were when the process started, whatever a reload reads: those of variables, and
 * those of files that systemd has copied for the process (`LoadCredential=`).
 */
export function countFixedSecrets(
  // No reload opens another connection to Redis, wherever its address comes from.
  { redisUrl: _none, ...config }: Readonly<Record<string, unknown>>,
  { CREDENTIALS_DIRECTORY: copies = '' }: NodeJS.ProcessEnv,
): number {
  const fixed = new Set<string>();
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Secret) {
      const { source } = value;
      if (source.startsWith('env ') || (copies !== '' && source.startsWith(`file ${copies}/`)))
        fixed.add(source);
    } else Object.values(value).forEach(walk);
  };
  walk(config);
  return fixed.size;
}
