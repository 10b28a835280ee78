import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KohaPlan, KohasMessage, KohasOrder, Reported, StartedKoha } from './kohas-protocol.ts';

export interface Kohas {
  readonly kohas: readonly StartedKoha[];
  koha(id: string): StartedKoha;
  /** The time of the report that ends an event, also of one that came before. Only where the plan `isWatched`. */
  ended(eventId: string): Promise<number>;
  /** As `ended`, for the first report that says waiting. */
  waiting(eventId: string): Promise<number>;
  /** The time of the report that was the `count`-th to end an event since the start. */
  nthEnd(count: number): Promise<number>;
  /** How many events have ended since the start. */
  readonly endCount: number;
  /** Calls a control route of one stand-in. */
  control(id: string, method: string, path: string, body?: unknown): Promise<unknown>;
  /** The same of every stand-in. */
  controlAll(method: string, path: string, body?: unknown): Promise<readonly unknown[]>;
  /** Has every front take so long for a request from now on. */
  setServiceMs(serviceMs: number): void;
  stop(): void;
}

/** Starts the stand-ins of a plan, all in one process beside ours. */
export async function startKohas(plan: KohaPlan): Promise<Kohas> {
  const program = fileURLToPath(new URL('./processes/kohas.js', import.meta.url));
  const child = fork(program, [JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const reports = new EventEmitter().setMaxListeners(0);
  const ends = new Map<string, number>();
  const waits = new Map<string, number>();
  const times: number[] = [];
  const note = ({ state, eventId, at }: Reported): void => {
    if (state === 'waiting') waits.set(eventId, waits.get(eventId) ?? at);
    if (state === 'done' || state === 'failed') {
      ends.set(eventId, at);
      times.push(at);
    }
    reports.emit('noted');
  };
  const kohas = await new Promise<readonly StartedKoha[]>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the Koha stand-ins ended with ${String(code)}`)));
    child.on('message', (message: KohasMessage) => {
      if (message.kind === 'started') resolve(message.kohas);
      else note(message);
    });
  });
  const until = async (find: () => number | undefined): Promise<number> => {
    for (;;) {
      const at = find();
      if (at !== undefined) return at;
      await once(reports, 'noted');
    }
  };
  const koha = (id: string): StartedKoha => {
    const found = kohas.find((each) => each.id === id);
    if (found === undefined) throw new Error(`there is no library ${id}`);
    return found;
  };
  const control: Kohas['control'] = async (id, method, path, body) => {
    const response = await fetch(`${koha(id).doubleUrl}/_double/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  return {
    kohas,
    koha,
    ended: (eventId) => until(() => ends.get(eventId)),
    waiting: (eventId) => until(() => waits.get(eventId)),
    nthEnd: (count) => until(() => times[count - 1]),
    get endCount() {
      return times.length;
    },
    control,
    controlAll: (...call) => Promise.all(kohas.map(({ id }) => control(id, ...call))),
    setServiceMs: (serviceMs) => void child.send({ serviceMs } satisfies KohasOrder),
    stop() {
      child.removeAllListeners('exit');
      child.kill();
    },
  };
}
