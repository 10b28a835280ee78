import { connect } from 'node:net';

/** One command as Redis has seen it. */
export interface Seen {
  readonly name: string;
  readonly atMs: number;
  /** Address of the connection that sent it, or null where a script has called it. */
  readonly client: string | null;
}

export interface Monitor {
  /** What has come since the last take. */
  take(): readonly Seen[];
  stop(): void;
}

const LINE = /^\+(\d+\.\d+) \[\d+ (\S+)\] "([^"]*)"/;

/** Watches all commands of a Redis on this machine with MONITOR. Arguments are dropped as they come. */
export async function startMonitor(port: number): Promise<Monitor> {
  const socket = connect(port, '127.0.0.1');
  let seen: Seen[] = [];
  let partial = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    const lines = (partial + piece).split('\r\n');
    partial = lines.pop() ?? '';
    seen.push(...lines.flatMap(readLine));
  });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('data', () => resolve());
    socket.write('MONITOR\r\n');
  });
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => socket.destroy(),
  };
}

function readLine(line: string): readonly Seen[] {
  const [, seconds, from = '', name = ''] = LINE.exec(line) ?? [];
  if (seconds === undefined) return [];
  const client = from === 'lua' ? null : from;
  return [{ name: name.toUpperCase(), atMs: 1_000 * Number(seconds), client }];
}
