import { createInterface } from 'node:readline';
import type { CliDeps } from './cli-deps.ts';
import { WrongUse } from './failure.ts';

/**
 * The first lines of standard input, trimmed, one for each of `wanted`. Cards and barcodes come this way because arguments show in
 * process lists and in the shell's history. Throws WrongUse when one is missing or empty.
 */
export async function readLines({ stdin, err }: CliDeps, wanted: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const prompt = () => {
    const next = wanted[lines.length];
    if (stdin.isTTY === true && next !== undefined) err(`${next}: `);
  };
  const input = createInterface({ input: stdin });
  prompt();
  for await (const line of input) {
    lines.push(line.trim());
    if (lines.length === wanted.length) break;
    prompt();
  }
  input.close();
  stdin.destroy();
  return wanted.map((what, place) => {
    const line = lines[place] ?? '';
    if (line === '') throw new WrongUse(`standard input has no ${what} on line ${place + 1}`);
    return line;
  });
}
