import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll, parseStored } from '../redis/index.ts';
import { controlKey } from '../keys.ts';

const VERSION = 'version';
const RELOAD = 'reload';
const PAUSE = 'pause';

const reloadSchema = z.object({ id: z.string(), by: z.string(), at_ms: z.number() });

/** A request that every process reads the configuration again. */
export type ReloadRequest = Readonly<z.infer<typeof reloadSchema>>;

/** The side on which a library is paused: as home library it is not queried, as lending library its scans are not processed. */
export const PAUSE_SIDES = ['home', 'lending'] as const;
export type PauseSide = (typeof PAUSE_SIDES)[number];

const pauseSchema = z.object({
  library: z.string(),
  side: z.enum(PAUSE_SIDES),
  until_ms: z.number(),
  reason: z.string(),
  by: z.string(),
  at_ms: z.number(),
});

/** An operator has paused a library on one side. Times by Redis's clock. */
export type Pause = Readonly<z.infer<typeof pauseSchema>>;

/** The orders of operators to all processes. */
export interface Control {
  readonly reload: ReloadRequest | null;
  /** With expired ones, until the same library is paused or resumed again. */
  readonly pauses: readonly Pause[];
}

/** Grows with each change, so that a look at one number shows that there is none. */
export async function readControlVersion(redis: Redis): Promise<string | null> {
  return redis.hget(controlKey, VERSION);
}

/** The orders of operators to all processes; those that cannot be read are left out. */
export async function readControl(redis: Redis): Promise<Control> {
  const fields = Object.entries(await redis.hgetall(controlKey));
  const pauses = fields.flatMap(([field, text]) => {
    const pause = field.startsWith(`${PAUSE}:`) ? parseStored(pauseSchema, text) : null;
    return pause === null ? [] : [pause];
  });
  const reload = parseStored(reloadSchema, new Map(fields).get(RELOAD) ?? null);
  return { reload, pauses };
}

/** Requests a reload of every process, which sees it within a second, and says in its record (`reload`) that it has dealt with it. */
export async function requestReload(redis: Redis, request: ReloadRequest): Promise<void> {
  await change(redis, { [RELOAD]: JSON.stringify(request) }, [], request.at_ms);
}

/**
 * Pauses libraries, which replaces earlier pauses of the same library and side. Every process sees it within a second. Other pauses
 * stay, even expired ones: somebody may just have set them again.
 */
export async function pauseLibraries(redis: Redis, pauses: readonly Pause[]): Promise<void> {
  const written = Object.fromEntries(pauses.map((pause) => [fieldOf(pause), JSON.stringify(pause)]));
  await change(redis, written, [], Math.max(0, ...pauses.map(({ at_ms: atMs }) => atMs)));
}

/** Ends the pauses of a library on these sides; returns those that had not expired. */
export async function resumeLibrary(
  redis: Redis,
  library: string,
  sides: readonly PauseSide[],
  nowMs: number,
): Promise<readonly Pause[]> {
  const { pauses } = await readControl(redis);
  const ended = pauses.filter((pause) => pause.library === library && sides.includes(pause.side));
  if (ended.length > 0) await change(redis, {}, ended.map(fieldOf), nowMs);
  return ended.filter(({ until_ms: untilMs }) => untilMs > nowMs);
}

const fieldOf = ({ library, side }: Pick<Pause, 'library' | 'side'>): string =>
  [PAUSE, library, side].join(':');

/** The version grows by the time, so that none comes again where a failover has lost a change that a process has seen. */
async function change(
  redis: Redis,
  written: Readonly<Record<string, string>>,
  removed: readonly string[],
  nowMs: number,
): Promise<void> {
  const writes = redis.multi();
  if (Object.keys(written).length > 0) writes.hset(controlKey, written);
  if (removed.length > 0) writes.hdel(controlKey, ...removed);
  await execAll(writes.hincrby(controlKey, VERSION, Math.round(nowMs)));
}

/** A pause of which only its end and its reason matter. */
export interface PausedNow {
  readonly untilMs: number;
  readonly reason: string;
}

/** What is paused at this moment, as far as operators have said so. */
export interface Pauses {
  /** Takes what operators have said by now. */
  set(control: Pick<Control, 'pauses'>): void;
  of(library: string, side: PauseSide): PausedNow | null;
}

/** Keeps the pauses of all libraries, each until its own end: nobody has to end it. */
export function buildPauses(now: () => number): Pauses {
  let pauses: ReadonlyMap<string, Pause> = new Map();
  const nameOf = (library: string, side: PauseSide): string => `${library} ${side}`;
  return {
    set(control) {
      pauses = new Map(control.pauses.map((pause) => [nameOf(pause.library, pause.side), pause]));
    },
    of(library, side) {
      const pause = pauses.get(nameOf(library, side));
      if (pause === undefined || pause.until_ms <= now()) return null;
      return { untilMs: pause.until_ms, reason: pause.reason };
    },
  };
}
