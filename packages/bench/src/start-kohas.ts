import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KohaPlan, KohasMessage, StartedKoha, Told } from './kohas-protocol.ts';

export interface Kohas {
  readonly kohas: readonly StartedKoha[];
  koha(id: string): StartedKoha;
  /** Resolves with the report that ends an event, also one that came before. Only where the plan `isWatched`. */
  ended(eventId: string): Promise<Told>;
  /** As `ended`, for the first report that says waiting. */
  waiting(eventId: string): Promise<Told>;
  /** Calls a control route of one stand-in. */
  control(id: string, method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): void;
}

const isEnd = ({ state }: Told): boolean => state === 'done' || state === 'failed';

/** Starts the stand-ins of a plan, all in one process beside ours. */
export async function startKohas(plan: KohaPlan): Promise<Kohas> {
  const program = fileURLToPath(new URL('./processes/kohas.js', import.meta.url));
  const child = fork(program, [JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ends = keepReports();
  const waits = keepReports();
  const kohas = await new Promise<readonly StartedKoha[]>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the Koha stand-ins ended with ${String(code)}`)));
    child.on('message', (message: KohasMessage) => {
      if (message.kind === 'started') resolve(message.kohas);
      else if (isEnd(message)) ends.tell(message);
      else if (message.state === 'waiting') waits.tell(message);
    });
  });
  const koha = (id: string): StartedKoha => {
    const found = kohas.find((each) => each.id === id);
    if (found === undefined) throw new Error(`there is no library ${id}`);
    return found;
  };
  return {
    kohas,
    koha,
    ended: ends.wait,
    waiting: waits.wait,
    async control(id, method, path, body) {
      const response = await fetch(`${koha(id).url}/_double/${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? null : (JSON.parse(text) as unknown);
    },
    stop: () => {
      child.removeAllListeners('exit');
      child.kill();
    },
  };
}

function keepReports(): { tell(report: Told): void; wait(eventId: string): Promise<Told> } {
  const come = new Map<string, Told>();
  const wanted = new Map<string, (report: Told) => void>();
  return {
    tell(report) {
      const resolve = wanted.get(report.eventId);
      wanted.delete(report.eventId);
      if (resolve === undefined) come.set(report.eventId, report);
      else resolve(report);
    },
    wait(eventId) {
      const report = come.get(eventId);
      if (report !== undefined) return Promise.resolve(report);
      return new Promise((resolve) => {
        wanted.set(eventId, resolve);
      });
    },
  };
}
