import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process of a demo, and a text that its command line holds: its id may be somebody else's by now. */
interface Child {
  readonly pid: number;
  readonly mark: string;
}

interface Running {
  readonly demo: number;
  readonly children: readonly Child[];
}

/** Keeps in `file` which processes this demo has started: one that is killed outright leaves them behind. */
export function noteChildren(file: string, demo: number): (child: Child) => void {
  const children: Child[] = [];
  return (child) => {
    children.push(child);
    writeFileSync(file, JSON.stringify({ demo, children } satisfies Running));
  };
}

/** Ends what a demo that is gone has left running, by `noteChildren`. Throws when that demo still runs itself. */
export async function endLeftovers(file: string): Promise<void> {
  const running = readRunning(file);
  if (running === null) return;
  if ((await commandOf(running.demo))?.includes('demo') === true) {
    throw new Error(`A demo is already running here, as process ${running.demo}. Stop it with Ctrl-C first.`);
  }
  await Promise.all(running.children.map(endChild));
}

async function endChild({ pid, mark }: Child): Promise<void> {
  const isThere = async () => (await commandOf(pid))?.includes(mark) === true;
  if (!(await isThere())) return;
  process.kill(pid, 'SIGTERM');
  for (let tries = 0; tries < 50; tries += 1) {
    if (!(await isThere())) return;
    await sleep(100);
  }
  process.kill(pid, 'SIGKILL');
}

function readRunning(file: string): Running | null {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRunning(found) ? found : null;
  } catch {
    return null;
  }
}

function isRunning(found: unknown): found is Running {
  if (typeof found !== 'object' || found === null) return false;
  const { demo, children } = found as Partial<Record<keyof Running, unknown>>;
  const isChild = (child: Partial<Record<keyof Child, unknown>>) =>
    Number.isInteger(child.pid) && typeof child.mark === 'string';
  return Number.isInteger(demo) && Array.isArray(children) && children.every(isChild);
}

/** The command line of a process, or null when there is none. */
async function commandOf(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.trim() === '' ? null : stdout;
  } catch {
    return null;
  }
}
