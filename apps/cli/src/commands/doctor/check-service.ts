import type { DoctorConfig, Library } from '@passport/config';
import { openNotices, readProcesses, readRedis } from '@passport/queue';
import type { CliDeps } from '../../program/cli-deps.ts';
import { Failure } from '../../program/failure.ts';
import { buildReceiverClient } from '../../connect/receiver-client.ts';
import { withQueueOf } from '../../connect/with-queue.ts';
import { checkNotify } from './check-notify.ts';
import { checkProcesses } from './check-processes.ts';
import { checkRedis } from './check-redis.ts';
import { type Finding, fault, unchecked } from './finding.ts';

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

function findingOf(library: Library, { message, details }: Failure): Finding {
  const { status } = details;
  if (status === 429 || Number(status) >= 500) {
    const problem = `the receiver does not accept events of ${library.id} now (${String(status)})`;
    return fault('receiver_refuses', problem, "look at the receiver's log, and at Redis", library.id);
  }
  if (status === 401 && details['reason'] === 'clock') {
    const problem = 'the clock of this machine and that of the receiver are more than five minutes apart';
    return fault('receiver_refuses', problem, 'synchronise both (timedatectl set-ntp true)', library.id);
  }
  if (status === 401) {
    const problem = `the receiver does not know ${library.id} and the secret that the configuration has for it`;
    const remedy = 'restart the receivers with the current configuration and secrets';
    return fault('receiver_refuses', problem, remedy, library.id);
  }
  return fault(
    'receiver_refuses',
    message,
    'set PASSPORT_RECEIVER to the address of the receiver',
    library.id,
  );
}

async function checkReceiver(
  { receiverUrl }: DoctorConfig,
  libraries: readonly Library[],
  deps: CliDeps,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const senders = libraries.filter(({ enabled, webhookSecrets }) => enabled && webhookSecrets.length > 0);
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
      findings.push(findingOf(library, failure));
    }
  }
  return findings;
}

async function checkQueue(
  { consortium, redisUrl, fileHash }: DoctorConfig,
  { version }: CliDeps,
): Promise<Finding[]> {
  if (redisUrl === null) {
    const problem = 'Redis and the workers: REDIS_URL is not set here';
    return [unchecked('redis_unreachable', problem, 'set REDIS_URL as the service has it')];
  }
  try {
    return await withQueueOf({ consortium, redisUrl }, async ({ redis }) => [
      ...checkRedis(await readRedis(redis)),
      ...checkProcesses(await readProcesses(redis), { version, fileHash }),
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
  const [receiver, queue] = await Promise.all([
    checkReceiver(service, libraries, deps),
    checkQueue(service, deps),
  ]);
  return [...receiver, ...queue];
}
