import { fork } from 'node:child_process';
import { within } from './figures.ts';
import { fileURLToPath } from 'node:url';
import type { KohaPlan, KohasMessage, KohasOrder, Manner, Reported, StartedKoha } from './kohas-protocol.ts';

export interface Kohas {
  readonly kohas: readonly StartedKoha[];
  koha(id: string): StartedKoha;
  /** Resolves with the report that ends an event, also one that came before. Only where the plan `isWatched`. */
  ended(eventId: string): Promise<Reported>;
  /** As `ended`, for the first report that says waiting. */
  waiting(eventId: string): Promise<Reported>;
  /** Resolves with the time of the report that was the `count`-th to end an event since the start. */
  nthEnd(count: number): Promise<number>;
  /** As `nthEnd`, but for so long at most. */
  endWithin(count: number, ms: number): Promise<void>;
  /** How many events have ended since the start. */
  readonly endCount: number;
  /** Calls a control route of one stand-in. */
  control(id: string, method: string, path: string, body?: unknown): Promise<unknown>;
  /** Has every front take so long for a request from now on. */
  setServiceMs(serviceMs: number): void;
  /** Has the fronts behave so for these libraries from now on. */
  setManners(manners: Readonly<Record<string, Manner>>): void;
  stop(): void;
}

const isEnd = ({ state }: Reported): boolean => state === 'done' || state === 'failed';

/** Starts the stand-ins of a plan, all in one process beside ours. */
export async function startKohas(plan: KohaPlan): Promise<Kohas> {
  const program = fileURLToPath(new URL('./processes/kohas.js', import.meta.url));
  const child = fork(program, [JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ends = keepReports();
  const waits = keepReports();
  const times = keepTimes();
  const kohas = await new Promise<readonly StartedKoha[]>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the Koha stand-ins ended with ${String(code)}`)));
    child.on('message', (message: KohasMessage) => {
      if (message.kind === 'started') resolve(message.kohas);
      else if (isEnd(message)) {
        ends.note(message);
        times.note(message.at);
      } else if (message.state === 'waiting') waits.note(message);
    });
  });
  const koha = (id: string): StartedKoha => {
    const found = kohas.find((each) => each.id === id);
    if (found === undefined) throw new Error(`there is no library ${id}`);
    return found;
  };
  const order = (message: KohasOrder): void => void child.send(message);
  return {
    kohas,
    koha,
    ended: ends.wait,
    waiting: waits.wait,
    nthEnd: times.nth,
    endWithin: async (count, ms) => void (await within(ms, times.nth(count))),
    get endCount() {
      return times.count();
    },
    async control(id, method, path, body) {
      const response = await fetch(`${koha(id).doubleUrl}/_double/${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? null : (JSON.parse(text) as unknown);
    },
    setServiceMs: (serviceMs) => order({ kind: 'all', serviceMs }),
    setManners: (manners) => order({ kind: 'some', manners }),
    stop: () => {
      child.removeAllListeners('exit');
      child.kill();
    },
  };
}

function keepReports(): { note(report: Reported): void; wait(eventId: string): Promise<Reported> } {
  const come = new Map<string, Reported>();
  const wanted = new Map<string, (report: Reported) => void>();
  return {
    note(report) {
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

function keepTimes(): { note(at: number): void; nth(count: number): Promise<number>; count(): number } {
  const times: number[] = [];
  const wanted = new Map<number, ((at: number) => void)[]>();
  return {
    note(at) {
      times.push(at);
      for (const resolve of wanted.get(times.length) ?? []) resolve(at);
      wanted.delete(times.length);
    },
    nth(count) {
      const at = times[count - 1];
      if (at !== undefined) return Promise.resolve(at);
      return new Promise((resolve) => {
        wanted.set(count, [...(wanted.get(count) ?? []), resolve]);
      });
    },
    count: () => times.length,
  };
}
