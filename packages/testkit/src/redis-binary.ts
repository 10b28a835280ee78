import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of redis-server or valkey-server. Throws, saying how to install one, when the machine has none. */
export function findRedisServer(path = process.env['PATH'] ?? ''): string {
  for (const name of ['redis-server', 'valkey-server']) {
    const found = path
      .split(delimiter)
      .map((dir) => join(dir, name))
      .find(isExecutable);
    if (found !== undefined) return found;
  }
  throw new Error(
    'Tests need a real Redis and found neither redis-server nor valkey-server on the PATH. ' +
      'Install one: `apt-get install redis-server`, `dnf install valkey` or `brew install redis`.',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
