import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
let listening = false;

/** Kills a child when this process ends, so that a failed test leaves nothing behind; returns how to forget it. */
export function killAtExit(child: ChildProcess): () => void {
  if (!listening) {
    listening = true;
    process.once('exit', () => {
      for (const each of running) each.kill('SIGKILL');
    });
  }
  running.add(child);
  return () => void running.delete(child);
}
