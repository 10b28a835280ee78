import type { DoctorConfig, Library, NotifiedEndpoint } from '@passport/config';
import { addressOf } from '@passport/notify';
import { openNotices } from '@passport/queue/notices';
import { readServiceFindings } from '@passport/queue/service';
import type { Redis } from '@passport/runtime';
import { buildReceiverClient } from '../../connect/receiver-client.ts';
import { withQueueOf } from '../../connect/with-queue.ts';
import { type CliDeps, Failure } from '../../program/index.ts';
import { type Finding, type Findings, fault, unchecked, warning } from '@passport/set-up';

/** The receiver's answer to the test event of each library, so many at a time. */
const AT_ONCE = 8;

/** Why the receiver refuses a library's test event, signed with the secret that this configuration has; null: it does not. */
async function testLibrary(receiverUrl: string, library: Library, deps: CliDeps): Promise<Failure | null> {
  try {
    await buildReceiverClient(receiverUrl, library, deps).test(deps.newId());
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function refusalOf({ id }: Library, { message, details }: Failure, isReloaded: boolean): Finding {
  const { status, reason } = details;
  const refused = (problem: string, remedy: string) => fault('receiver_refuses', problem, remedy, id);
  if (status === 429 || Number(status) >= 500) {
    const problem = `the receiver does not accept events of ${id} now (${String(status)})`;
    return refused(problem, "look at the receiver's log, and at Redis");
  }
  if (status === 401 && reason === 'clock') {
    const problem = 'the clock of this machine and that of the receiver are more than five minutes apart';
    return refused(problem, 'synchronise both (timedatectl set-ntp true)');
  }
  if (status === 401 && !isReloaded) {
    const problem = `not reloaded yet: the receiver does not know ${id} as the file here does`;
    return warning('not_reloaded', problem, 'passport config reload, then passport doctor again', id);
  }
  if (status === 401) {
    const problem = `the receiver does not know ${id} and the secret that the configuration has for it`;
    return refused(problem, 'restart the receivers with the current configuration and secrets');
  }
  return refused(message, 'set PASSPORT_RECEIVER to the address of the receiver');
}

const isSender = ({ enabled, webhookSecrets }: Library): boolean => enabled && webhookSecrets.length > 0;

async function checkReceiver(
  { receiverUrl }: DoctorConfig,
  libraries: readonly Library[],
  deps: CliDeps,
  isReloaded: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const senders = libraries.filter(isSender);
  for (let next = 0; next < senders.length; next += AT_ONCE) {
    const some = senders.slice(next, next + AT_ONCE);
    const failures = await Promise.all(some.map((library) => testLibrary(receiverUrl, library, deps)));
    for (const [place, failure] of failures.entries()) {
      const library = some[place];
      if (failure === null || library === undefined) continue;
      if (failure.details['code'] === 'unreachable') {
        const remedy = 'start a receiver, or set PASSPORT_RECEIVER to its address as seen from here';
        return [fault('receiver_unreachable', failure.message, remedy)];
      }
      findings.push(refusalOf(library, failure, isReloaded));
    }
  }
  return findings;
}

/** Whether messages to operators are sent: an endpoint that answered 410 gets no more. */
export function* checkNotify(
  endpoints: readonly NotifiedEndpoint[],
  stopped: Readonly<Record<string, string>>,
): Findings {
  for (const endpoint of endpoints) {
    const { name } = endpoint;
    if (stopped[name] !== addressOf(endpoint)) continue;
    const problem = `the endpoint ${name} of notify has answered 410: nothing more is sent there`;
    const remedy = `correct its url, or make it accept messages again and run passport notify test --name ${name}`;
    yield fault('notify_stopped', problem, remedy);
  }
}

/** What is wrong with the service by what Redis has, as findings of doctor. Of all libraries that are enabled. */
export async function findInRedis(
  redis: Redis,
  libraries: readonly Library[],
  asked: { readonly fileHash: string; readonly nowMs: number },
  { version, env }: CliDeps,
): Promise<Finding[]> {
  const ids = libraries.filter(({ enabled }) => enabled).map(({ id }) => id);
  const asker = {
    name: 'this command',
    version,
    configuration: { name: 'the file here', hash: asked.fileHash },
    install: env['PASSPORT_INSTALL'],
  };
  const found = await readServiceFindings(redis, ids, asker, asked.nowMs);
  return found.map(({ level, code, library, host, problem, remedy }) => {
    const text = library === null ? problem : `${library} ${problem}`;
    return (level === 'fault' ? fault : warning)(code, text, remedy, library ?? host);
  });
}

async function checkQueue(
  { consortium, redisUrl, fileHash }: DoctorConfig,
  deps: CliDeps,
): Promise<Finding[]> {
  if (redisUrl === null) {
    const problem = 'Redis and the workers: REDIS_URL is not set here';
    return [unchecked('redis_unreachable', problem, 'set REDIS_URL as the service has it')];
  }
  try {
    return await withQueueOf({ consortium, redisUrl, fileHash }, async ({ redis, now }) => [
      ...(await findInRedis(redis, consortium.libraries, { fileHash, nowMs: await now() }, deps)),
      ...checkNotify(consortium.notify, await openNotices(redis).readStopped()),
    ]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = 'start Redis, or correct REDIS_URL; see PassportRedisDown in the runbook';
    return [fault('redis_unreachable', error.message, remedy)];
  }
}

/** Examines the service itself: whether the receiver knows these libraries as the configuration does, and what is behind it. */
export async function checkService(
  service: DoctorConfig,
  libraries: readonly Library[],
  deps: CliDeps,
): Promise<Finding[]> {
  const queue = await checkQueue(service, deps);
  const isReloaded = !queue.some(({ code }) => code === 'config_differs');
  const receiver = await checkReceiver(service, libraries, deps, isReloaded);
  // One that has just started answers before it has announced itself.
  const hasAnswered = libraries.some(isSender) && receiver.length === 0;
  return [...receiver, ...queue.filter(({ code }) => !(hasAnswered && code === 'no_receiver'))];
}
