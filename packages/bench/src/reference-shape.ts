import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Floor } from './floor.ts';
import type { StartedKoha } from './kohas-protocol.ts';

/** The reference plugin's way to look a card up (`peers/fork-per-library.pl`), in a process that stays. */
export interface ReferenceShape {
  /** Milliseconds until all libraries have answered. */
  lookUp(card: string): Promise<number>;
  stop(): void;
}

const PROGRAM = fileURLToPath(new URL('../peers/fork-per-library.pl', import.meta.url));

/** Null where Perl or a module of it is not on this machine. */
export async function startReferenceShape(
  kohas: readonly StartedKoha[],
  floor: Floor,
): Promise<ReferenceShape | null> {
  try {
    await promisify(execFile)('perl', ['-c', PROGRAM]);
  } catch {
    return null;
  }
  const libraries = kohas.map((koha) => ({ url: koha.url, authorization: floor.authorization(koha) }));
  // A group of its own: the processes that it forks must end with it.
  const perl = spawn('perl', [PROGRAM, JSON.stringify(libraries)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const lines = createInterface({ input: perl.stdout })[Symbol.asyncIterator]();
  return {
    async lookUp(card) {
      perl.stdin.write(`${card}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error('the reference shape has ended');
      const [ms, answered] = line.value.split(' ').map(Number);
      if (answered !== kohas.length) throw new Error(`${answered} of ${kohas.length} libraries answered`);
      return ms ?? Number.NaN;
    },
    stop() {
      if (perl.pid !== undefined && perl.exitCode === null) process.kill(-perl.pid, 'SIGKILL');
    },
  };
}
