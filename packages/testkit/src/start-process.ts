import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { waitFor } from './wait-for.ts';

/** How a process ended: `code` is null when a signal ended it. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Of a process that writes a log file only so much is kept in memory, too: some run for hours. */
const KEPT_CHARACTERS = 200_000;

export interface StartedProcess {
  readonly pid: number;
  /** Standard output and standard error so far, as they came; with a log file, the end of them. */
  output(): string;
  stdout(): string;
  kill(signal?: NodeJS.Signals): void;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends SIGTERM, after `timeoutMs` (10 s) SIGKILL, and waits for the end. */
  stop(timeoutMs?: number): Promise<ProcessExit>;
}

/**
 * Starts a program and returns when `readyWhen` (a pattern in its output, or a probe) holds. Its environment is
 * PATH, HOME, TMPDIR and `env`, nothing else of ours. Rejects with the end of its output when it ends before it is ready or
 * is not ready in `timeoutMs` (20 s). Whatever is still running when the tests' process ends is killed.
 */
export async function startProcess(options: {
  command: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  readyWhen?: RegExp | (() => unknown);
  logFile?: string;
  timeoutMs?: number;
}): Promise<StartedProcess> {
  const started = spawnCaptured(options);
  const { readyWhen } = options;
  if (readyWhen === undefined) return started;
  const probe = readyWhen instanceof RegExp ? () => readyWhen.test(started.output()) : readyWhen;
  let ended: ProcessExit | undefined;
  void started.exited.then((exit) => {
    ended = exit;
  });
  try {
    await waitFor(
      `${options.command} to be ready`,
      async () => ended !== undefined || ((await probe()) ?? false),
      { timeoutMs: options.timeoutMs ?? 20_000, everyMs: 20 },
    );
    if (ended !== undefined) throw new Error(`ended with ${JSON.stringify(ended)} before it was ready`);
    return started;
  } catch (error) {
    await started.stop(1_000);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${options.command} ${(options.args ?? []).join(' ')}: ${reason}\n${tail(started.output())}`,
    );
  }
}

function spawnCaptured(options: Parameters<typeof startProcess>[0]): StartedProcess {
  const child = spawn(options.command, options.args ?? [], {
    env: { ...inherited(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const forget = killAtExit(child);
  const log = options.logFile === undefined ? null : createWriteStream(options.logFile, { flags: 'a' });
  let output = '';
  let stdout = '';
  const kept = (text: string): string => (log === null ? text : text.slice(-KEPT_CHARACTERS));
  const keep = (text: string): void => {
    output = kept(output + text);
    log?.write(text);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = kept(stdout + text);
    keep(text);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  // Its pipes are sockets: one can be reset as the process ends. 'close' reports how it ended.
  for (const stream of [child.stdout, child.stderr]) stream.on('error', () => undefined);
  const exited = new Promise<ProcessExit>((resolve) => {
    const end = (exit: ProcessExit) => {
      forget();
      log?.end();
      resolve(exit);
    };
    child.once('error', (error) => {
      output += `cannot be started: ${error.message}\n`;
      end({ code: 127, signal: null });
    });
    child.once('close', (code, signal) => end({ code, signal }));
  });
  const kill = (signal: NodeJS.Signals = 'SIGTERM') => void child.kill(signal);
  return {
    pid: child.pid ?? -1,
    output: () => output,
    stdout: () => stdout,
    kill,
    exited,
    stop: (timeoutMs = 10_000) => stopChild(kill, exited, timeoutMs),
  };
}

/** Of our environment: with TMPDIR, what a process leaves in the temporary folder goes with the run of the tests. */
function inherited(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

async function stopChild(
  kill: (signal: NodeJS.Signals) => void,
  exited: Promise<ProcessExit>,
  timeoutMs: number,
): Promise<ProcessExit> {
  kill('SIGTERM');
  const timer = setTimeout(() => kill('SIGKILL'), timeoutMs);
  const exit = await exited;
  clearTimeout(timer);
  return exit;
}

function tail(output: string): string {
  return output.split('\n').slice(-30).join('\n');
}

const running = new Set<ChildProcess>();
let listening = false;

/** Kills a child when this process ends, so that a failed test leaves nothing behind; returns how to forget it. */
function killAtExit(child: ChildProcess): () => void {
  if (!listening) {
    listening = true;
    process.once('exit', () => {
      for (const each of running) each.kill('SIGKILL');
    });
  }
  running.add(child);
  return () => void running.delete(child);
}

/** Throws in the fast tier (scripts/jest/run-jest.mjs, which sets FAST_TESTS): its tests start nothing that a build or a package brings. */
export function notInFastTests(what: string): void {
  if (process.env['FAST_TESTS'] === undefined) return;
  throw new Error(
    `A fast test starts ${what}: name its file *.slow.test.ts, or move it to packages/system-tests.`,
  );
}
