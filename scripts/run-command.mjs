import { spawn } from 'node:child_process';

const running = new Set();
let isEnding = false;

/** Ends what {@link runCommand} runs, for whoever is told to end, and resolves when all of it has. Nothing is begun after it. */
export async function endCommands() {
  isEnding = true;
  const ends = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(ends);
}

/**
 * Runs a program in the project's root and resolves with `{ code, output }` when it ends. With `show` its output goes to
 * standard error as it comes; else it is kept, and printed only by whoever finds that `code` is not 0. `onText` gets what comes
 * meanwhile. A program that is not there, or that takes longer than `timeoutMs`, has code 127 or 124.
 */
export function runCommand(command, args, { cwd, env, show = false, timeoutMs, onText } = {}) {
  return new Promise((resolve) => {
    if (isEnding) return;
    const stdio = show ? ['ignore', process.stderr, process.stderr] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, {
      cwd: cwd ?? projectRoot,
      env: { ...process.env, ...env },
      stdio,
    });
    running.add(child);
    child.once('close', () => running.delete(child));
    child.once('error', () => running.delete(child));
    let output = '';
    let late = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            child.kill('SIGKILL');
          }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        onText?.(text);
      });
      // Its pipes are sockets: one can be reset as the program ends. 'close' reports how it ended.
      stream?.on('error', () => undefined);
    }
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), output });
    });
  });
}

/** The project's root, as a path. */
export const projectRoot = new URL('..', import.meta.url).pathname.replace(/\/$/, '');

/** Says on standard error what goes on: standard output belongs to results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}
