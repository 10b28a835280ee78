import { readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot } from '../run-command.mjs';

/** Seconds that test files took; `npm run test:all -- --keep-durations` writes it. Those that are not in it took less than two. */
export const durationsFile = join(projectRoot, 'scripts/test-durations.json');

export const readDurations = () => JSON.parse(readFileSync(durationsFile, 'utf8'));

/** Below two seconds a file's size says enough of its time; a new file is among these until the durations are written again. */
const secondsOf = ({ path }, durations) =>
  durations[relative(projectRoot, path)] ??
  Math.min(1.9, (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 10_000);

/**
 * Jest's sequencer: the longest file first, so that no worker begins a long one when the others are done. A shard gets the
 * next file of all if it has the least to do so far. Jest's own sequencer knows durations only from its cache, which a fresh clone does not have.
 */
export default class LongestFirst {
  #durations = readDurations();

  sort(tests) {
    const seconds = new Map(tests.map((test) => [test, secondsOf(test, this.#durations)]));
    return tests.toSorted(
      (left, right) => seconds.get(right) - seconds.get(left) || left.path.localeCompare(right.path),
    );
  }

  shard(tests, { shardIndex, shardCount }) {
    const shards = Array.from({ length: shardCount }, () => ({ seconds: 0, tests: [] }));
    for (const test of this.sort(tests)) {
      const least = shards.reduce((one, other) => (other.seconds < one.seconds ? other : one));
      least.seconds += secondsOf(test, this.#durations);
      least.tests.push(test);
    }
    return shards[shardIndex - 1].tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {
    // The durations are those of the file that everybody has.
  }
}
