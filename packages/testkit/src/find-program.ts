import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program on the PATH, or null: a test that needs it is skipped then, with the reason in its name. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | null {
  const runs = (file: string): boolean => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const places = path.split(delimiter).map((dir) => join(dir, name));
  return places.find(runs) ?? null;
}

/** The path of redis-server or valkey-server. Throws, saying how to install one, when the machine has none. */
export function findRedisServer(path?: string): string {
  const found = findProgram('redis-server', path) ?? findProgram('valkey-server', path);
  if (found !== null) return found;
  throw new Error(
    'Tests need a real Redis and found neither redis-server nor valkey-server on the PATH. ' +
      'Install one: `apt-get install redis-server`, `dnf install valkey` or `brew install redis`.',
  );
}
