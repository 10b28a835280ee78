import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ShippedCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** How docker-compose.yml under `root` starts a process, the flags of Node included, with the program that was built there. */
export function shippedCommand(root: string, name: string): ShippedCommand {
  const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly command?: readonly string[] }>>;
  };
  const [node, ...args] = compose.services[name]?.command ?? [];
  const program = args.pop();
  if (node !== 'node' || program === undefined) throw new Error(`docker-compose.yml does not start ${name}`);
  return { command: process.execPath, args: [...args, join(root, program)] };
}
