import { type Logger, type Redis, readRedisTime, translateRedisError, within } from '@passport/runtime';
import { type Control, type ReloadRequest, readControl, readControlVersion } from './control.ts';
import { CLOCK_KEY } from '../keys.ts';
import {
  type ProcessFacts,
  type ProcessIdentity,
  type ProcessNote,
  announceProcess,
} from './live-processes.ts';

/** The result of a reload: the hash of the new configuration, or why the old one stays in force. */
export type Reloaded =
  | { readonly kind: 'loaded'; readonly hash: string }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** One process that the others, and operators, know of. */
export interface RegisteredProcess {
  /** Takes over the configuration as it is by now. Resolves when that is done, or was refused. */
  reload(by: string): Promise<void>;
  /** Announces it at once, where it would be within seconds: it has begun to work. */
  announce(): Promise<void>;
  close(): Promise<void>;
}

export interface Registration {
  readonly redis: Redis;
  readonly id: string;
  readonly identity: ProcessIdentity;
  /** The hash of the configuration that was taken over at the start. */
  readonly hash: string;
  readonly reload: () => Promise<Reloaded>;
  /** Whether it does what others expect of it; until then, and when not, it is not announced. */
  readonly isWorking?: () => boolean;
  /** Called with each announcement. */
  readonly facts?: () => ProcessFacts;
  /** Receives what operators have said, at the start and whenever it has changed. */
  readonly onControl?: (control: Control) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
  readonly lookMs?: number;
}

/** How often a process looks for orders of operators: one cheap command. */
const LOOK_MS = 300;
/** A Redis that is slower than this is looked at the next time. */
const ANSWER_MS = 2_000;
/** A request from this long before the start may have come after the file was read. */
const DOUBTFUL_MS = 60_000;
/** Enough to see what is wrong; `passport config check` has all of it. */
const MOST_PROBLEMS = 20;
const LONGEST_PROBLEM = 300;

/**
 * Makes this process known (`readProcesses`), and has it reload its configuration when somebody requests it from all of them.
 * Beside its work: without Redis nothing is known, and nothing is reloaded but by a signal.
 */
export function registerProcess(deps: Registration): RegisteredProcess {
  const { redis, id, identity, isWorking = () => true, lookMs = LOOK_MS } = deps;
  const configured = buildConfigured(deps);
  let dealtWith: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let reloading: Promise<void> = Promise.resolve();

  const announced = announceProcess(redis, id, () =>
    isWorking()
      ? { ...identity, ...configured.note(), reload: dealtWith, ...logNote(deps.log), ...deps.facts?.() }
      : null,
  );
  const reload = (by: string, request: string | null): Promise<void> => {
    reloading = reloading.then(async () => {
      await configured.takeOver(by);
      dealtWith = request ?? dealtWith;
      if (redis.status === 'ready') await quietly(() => announced.again(), deps);
    });
    return reloading;
  };
  const watch = buildControlWatch(redis, {
    text: (control) => deps.onControl?.(control),
    requested(request, isOld) {
      if (isOld) dealtWith = request.id;
      else void reload(request.by, request.id);
    },
  });
  const look = async (): Promise<void> => {
    if (redis.status === 'ready') await watch();
  };
  const lookAgain = async (): Promise<void> => {
    await quietly(look, deps);
    if (!isClosed) timer = setTimeout(() => void lookAgain(), lookMs);
  };
  void lookAgain();

  return {
    reload: (by) => reload(by, null),
    announce: () => quietly(() => announced.again(), deps),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await reloading;
      await announced.close();
    },
  };
}

const logNote = ({ health }: Logger): Pick<ProcessNote, 'log_fails' | 'audit_lost'> => ({
  log_fails: health.isFailing,
  audit_lost: health.lost.audit,
});

/** The configuration that is in force, and why another one is not. */
function buildConfigured({
  reload,
  facts,
  now,
  log,
  ...deps
}: Pick<Registration, 'hash' | 'reload' | 'facts' | 'now' | 'log'>): {
  takeOver(by: string): Promise<void>;
  note(): Pick<ProcessNote, 'config' | 'refused'>;
} {
  let config = { hash: deps.hash, loaded_ms: now() };
  let refused: ProcessNote['refused'] = null;
  const refuse = (problems: string[]): void => {
    refused = { at_ms: now(), problems };
  };

  const takeOver = async (by: string): Promise<void> => {
    const result = await reload();
    if (result.kind === 'loaded') {
      [config, refused] = [{ hash: result.hash, loaded_ms: now() }, null];
      const { fixed_secrets } = facts?.() ?? {};
      log.info({ config: config.hash, by, fixed_secrets }, 'configuration loaded');
      return;
    }
    const problems = result.problems.slice(0, MOST_PROBLEMS).map((each) => each.slice(0, LONGEST_PROBLEM));
    refuse(problems);
    log.error({ problems, config: config.hash, by }, 'configuration refused: the one before stays in force');
  };
  return {
    takeOver: (by) =>
      takeOver(by).catch((error: unknown) => {
        refuse(['it could not be taken over: the log of the process says why']);
        log.error({ error, config: config.hash, by }, 'configuration not taken over');
      }),
    note: () => ({ config, refused }),
  };
}

/** Looks whether operators have said something new; `requested` receives each request for a reload once. */
function buildControlWatch(
  redis: Redis,
  heard: {
    text(control: Control): void;
    requested(request: ReloadRequest, isOld: boolean): void;
  },
): () => Promise<void> {
  let seenVersion: string | null | undefined;
  let seenRequest: string | null = null;
  return async () => {
    const version = await readControlVersion(redis);
    if (version === seenVersion) return;
    const isFirst = seenVersion === undefined;
    const control = await readControl(redis);
    heard.text(control);
    const { reload: request } = control;
    if (request !== null && request.id !== seenRequest) {
      const isOld = isFirst && (await readRedisTime(redis, CLOCK_KEY)) - request.at_ms > DOUBTFUL_MS;
      seenRequest = request.id;
      heard.requested(request, isOld);
    }
    seenVersion = version;
  };
}

async function quietly(work: () => Promise<void>, { log }: Pick<Registration, 'log'>): Promise<void> {
  try {
    await within(ANSWER_MS, work(), 'a look at what operators have said');
  } catch (error) {
    // The connection logs its outages.
    if (translateRedisError(error).kind === 'bug') log.error({ error }, 'a look at the service failed');
  }
}
