import { setTimeout as pause } from 'node:timers/promises';
import { checkedFile } from '@passport/config';
import { type SeenProcess, readControl, readProcesses, requestReload } from '@passport/queue/processes';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import { openAudit } from '../../program/open-audit.ts';
import {
  type CliDeps,
  defineCommand,
  Failure,
  parsedOr,
  type Report,
  WrongUse,
} from '../../program/index.ts';

const LOOK_AGAIN_MS = 200;

/** The outcome of the request in one process. */
type Taken = 'loaded' | 'another file' | 'refused' | 'no answer';

interface Answer {
  readonly process: SeenProcess;
  readonly taken: Taken;
}

const nameOf = ({ kind, host, id }: SeenProcess): string => `${kind} ${host} ${id.slice(0, 8)}`;

function describe({ process, taken }: Answer): string {
  const hash = process.config?.hash ?? 'what it was started with';
  const problems = process.refused?.problems ?? [];
  const what: Readonly<Record<Taken, string>> = {
    loaded: `has ${hash}`,
    'another file': `has ${hash}, which is not the file that this command reads`,
    refused: [`refused, it goes on with ${hash}`, ...problems].join('\n  '),
    'no answer': `no answer, it goes on with ${hash} so far`,
  };
  return `${nameOf(process)}: ${what[taken]}`;
}

/** Of secrets that a process has from its environment, or as copies that systemd made of files. */
function describeFixed(answers: readonly Answer[]): string {
  const processes = answers.map(({ process }) => `${nameOf(process)} (${process.fixed_secrets})`);
  return `secrets of ${processes.join(', ')} are those of the start, which no reload renews: restart a process whose secret has changed`;
}

function takenBy(process: SeenProcess, ids: ReadonlySet<string | null>, fileHash: string): Taken {
  if (!ids.has(process.reload)) return 'no answer';
  if (process.refused !== null) return 'refused';
  return process.config?.hash === fileHash ? 'loaded' : 'another file';
}

const readLive = async ({ redis }: OpenQueue): Promise<SeenProcess[]> =>
  (await readProcesses(redis)).filter(({ isLive }) => isLive);

/**
 * Waits until every process has dealt with the request, or with a later one that has taken its place; one that ends meanwhile is no
 * longer waited for.
 */
async function waitForAll(
  open: OpenQueue,
  id: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<{ processes: SeenProcess[]; ids: ReadonlySet<string | null> }> {
  const endsAt = performance.now() + waitMs;
  const ids = new Set<string | null>([id]);
  for (;;) {
    ids.add((await readControl(open.redis)).reload?.id ?? id);
    const processes = await readLive(open);
    const isDone = processes.every(({ reload }) => ids.has(reload));
    if (isDone || performance.now() >= endsAt || signal.aborted) return { processes, ids };
    await pause(LOOK_AGAIN_MS);
  }
}

async function requestAndWait(
  open: OpenQueue,
  fileHash: string,
  waitMs: number,
  deps: CliDeps,
): Promise<Answer[]> {
  if ((await readLive(open)).length === 0) {
    throw new Failure('no process is alive: each reads the configuration when it starts', {
      code: 'no_process',
    });
  }
  const id = deps.newId();
  await requestReload(open.redis, { id, by: deps.user, at_ms: await open.now() });
  openAudit(deps, 'reload', 'reload of the configuration by an operator')({ config: fileHash });
  const { processes, ids } = await waitForAll(open, id, waitMs, deps.signal);
  return processes.map((process) => ({ process, taken: takenBy(process, ids, fileHash) }));
}

const isLoadedBy = (answers: readonly Answer[]): boolean =>
  answers.length > 0 && answers.every(({ taken }) => taken === 'loaded');

function print(answers: readonly Answer[], report: Report): void {
  for (const answer of answers) report.line(describe(answer));
  const started = answers.filter(({ process }) => process.fixed_secrets > 0);
  if (started.length > 0) report.line(describeFixed(started));
}

/** Has every process read the file anew, and says how each took it; whether all have. Throws Failure where none is alive. */
export async function reloadProcesses(
  open: OpenQueue,
  fileHash: string,
  waitMs: number,
  report: Report,
  deps: CliDeps,
): Promise<boolean> {
  const answers = await requestAndWait(open, fileHash, waitMs, deps);
  print(answers, report);
  return isLoadedBy(answers);
}

export const configReload = defineCommand({
  summary: 'have every process take over the configuration, without a restart',
  description:
    'Checks the file as `config check` does, then has each receiver, worker and dashboard read it again, with the files of secrets. ' +
    'What one of them would refuse is so refused before any has it. A process that finds a problem keeps the configuration that it has. Returns when all have answered: from then on no event is ' +
    'answered by the configuration before. Exit code 1 if one refused, did not answer, or has another file. A signal (SIGHUP) does ' +
    'the same for one process. Variables of the environment are read at the start only, but the files that *_FILE names are read again; ' +
    'processes with secrets of their start (variables, and all secrets of the Debian package) are named: restart them after a change of one.',
  examples: ['passport config reload', 'passport config reload --json | jq .processes'],
  options: { wait: parsedOr('<seconds>', 'how long to wait for the processes', String, ['20']) },
  run: async ({ wait }, _args, report, deps) => {
    if (!/^\d{1,4}$/.test(wait)) throw new WrongUse('--wait must be a number of seconds');
    const { fileHash } = checkedFile(deps.env, deps.readFile);
    const answers = await withQueue(deps, (open) =>
      requestAndWait(open, fileHash, Number(wait) * 1_000, deps),
    );
    const isDone = isLoadedBy(answers);
    report.json({
      ok: isDone,
      config: fileHash,
      processes: answers.map(
        ({ process: { id, kind, version, host, config, refused, fixed_secrets: fixedSecrets }, taken }) => ({
          id,
          process: kind,
          version,
          host,
          result: taken,
          fixed_secrets: fixedSecrets,
          config:
            config === null
              ? null
              : { hash: config.hash, loaded_at: new Date(config.loaded_ms).toISOString() },
          problems: taken === 'refused' ? (refused?.problems ?? []) : [],
        }),
      ),
    });
    print(answers, report);
    return isDone ? 0 : 1;
  },
});
