import type { RunningService } from '@passport/testkit';
import { readExposition } from '../harness/read-exposition.ts';
import type { Consortium } from '../harness/start-consortium.ts';

export type Version = 'previous' | 'present';
type Name = 'receiver' | 'worker';

/** What processes of one version did. */
export interface Share {
  /** Events that its receivers stored. */
  readonly accepted: number;
  /** Jobs that its workers ended. */
  readonly ended: number;
  /** Jobs that its workers could not process and left to others. */
  readonly leftToOthers: number;
}
export type Shares = Readonly<Record<Version, Share>>;

interface Running {
  readonly version: Version;
  readonly name: Name;
  readonly service: RunningService;
}

const NOTHING: Share = { accepted: 0, ended: 0, leftToOthers: 0 };

/** Processes of two versions on one queue. */
export interface Fleet {
  /** Where the receivers listen that run at this moment. */
  readonly receiverUrls: readonly string[];
  start(version: Version, name: Name, count: number): Promise<void>;
  /** Ends all of a version as a service manager does, and throws when one does not end by itself. */
  stop(version: Version, name: Name): Promise<void>;
  /** What each version did so far. What a process does after the signal to end is not in it. */
  shares(): Promise<Shares>;
  /** How many jobs are in this state, by the metrics of a running process. */
  jobs(state: string): Promise<number>;
}

export function createFleet(
  { services }: Pick<Consortium<string>, 'services'>,
  roots: Readonly<Record<Version, string>>,
): Fleet {
  const receiverUrls: string[] = [];
  let running: readonly Running[] = [];
  let gone: Shares = { previous: NOTHING, present: NOTHING };
  return {
    receiverUrls,
    async start(version, name, count) {
      const started = await services.add(name, count, roots[version]);
      running = [...running, ...started.map((service) => ({ version, name, service }))];
      if (name === 'receiver') receiverUrls.push(...started.map(({ url }) => url));
    },
    async stop(version, name) {
      const isLeaving = (each: Running): boolean => each.version === version && each.name === name;
      const leaving = running.filter(isLeaving);
      gone = added(gone, await sharesOf(leaving));
      running = running.filter((each) => !isLeaving(each));
      for (const { service } of leaving) {
        const { code } = await service.kill('SIGTERM');
        if (code !== 0) throw new Error(`a ${name} of the ${version} version ended with ${code}`);
        if (name === 'receiver') receiverUrls.splice(receiverUrls.indexOf(service.url), 1);
      }
    },
    shares: async () => added(gone, await sharesOf(running)),
    async jobs(state) {
      const [first] = running;
      const series = first === undefined ? [] : readExposition(await first.service.metrics());
      return total(
        series.filter(({ name, labels }) => name === 'passport_queue_jobs' && labels['state'] === state),
      );
    },
  };
}

async function sharesOf(processes: readonly Running[]): Promise<Shares> {
  let shares: Shares = { previous: NOTHING, present: NOTHING };
  for (const { version, service } of processes) {
    const series = readExposition(await service.metrics());
    const count = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
      total(
        series.filter(
          (each) =>
            each.name === name &&
            Object.entries(labels).every(([label, value]) => each.labels[label] === value),
        ),
      );
    const share = {
      accepted: count('passport_events_total', { result: 'accepted' }),
      ended: count('passport_jobs_total'),
      leftToOthers: count('passport_jobs_requeued_total'),
    };
    shares = added(shares, { previous: NOTHING, present: NOTHING, [version]: share });
  }
  return shares;
}

const total = (series: readonly { readonly value: number }[]): number =>
  series.reduce((sum, { value }) => sum + value, 0);

const added = (left: Shares, right: Shares): Shares => ({
  previous: combined(left.previous, right.previous, 1),
  present: combined(left.present, right.present, 1),
});

/** What was done between two moments. */
export const between = (before: Shares, after: Shares): Shares => ({
  previous: combined(after.previous, before.previous, -1),
  present: combined(after.present, before.present, -1),
});

const combined = (left: Share, right: Share, sign: 1 | -1): Share => ({
  accepted: left.accepted + sign * right.accepted,
  ended: left.ended + sign * right.ended,
  leftToOthers: left.leftToOthers + sign * right.leftToOthers,
});
