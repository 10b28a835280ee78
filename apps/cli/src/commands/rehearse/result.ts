import type { AnswerDifference, AnswersOfRelease } from './compare-answers.ts';
import type { Side } from './site.ts';

/** What came of one scenario. */
export interface ScenarioResult {
  readonly id: string;
  readonly says: string;
  readonly result: 'held' | 'differs' | 'not_tried';
  readonly differences: readonly string[];
  /** What a person should know although it held. */
  readonly remarks: readonly string[];
  /** Why it was not tried. */
  readonly why: string | null;
  /** Milliseconds from the report of a scan to its end, of each scan. */
  readonly scanMs: readonly number[];
}

/** One Koha as the report names it. */
interface RehearsedSite {
  readonly side: Side;
  readonly library: string;
  readonly koha: string | null;
  readonly plugin: string | null;
  /** The release of the stand-in that its answers were compared with, and whether that is its own. */
  readonly comparedWith: string;
  readonly isOwnRelease: boolean;
}

export interface Times {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Everything that a rehearsal reports: codes, numbers and times; nothing of anybody, and no secret. */
export interface Rehearsal {
  readonly version: string;
  readonly at: string;
  readonly run: string;
  readonly sites: readonly RehearsedSite[];
  readonly scenarios: readonly ScenarioResult[];
  readonly answers: readonly AnswerDifference[];
  readonly times: { readonly scans: Times | null; readonly calls: Times | null };
  readonly cleanUp: {
    readonly removed: number;
    readonly leftAlone: readonly string[];
    readonly stuck: readonly string[];
  };
  /** The command that does the same again. */
  readonly command: string;
  /** How the Kohas answered: what `expected-answers.ts` is made of. */
  readonly answered: AnswersOfRelease;
}

/** Median, 95th percentile and maximum in whole milliseconds; null of nothing. */
export function timesOf(all: readonly number[]): Times | null {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return sorted.length === 0 ? null : { count: sorted.length, median: at(0.5), p95: at(0.95), max: at(1) };
}

export const countOf = ({ scenarios }: Rehearsal, result: ScenarioResult['result']): number =>
  scenarios.filter((each) => each.result === result).length;

/** Whether everything that was tried went as it should, and nothing is left. */
export const isGood = (rehearsal: Rehearsal): boolean =>
  countOf(rehearsal, 'differs') === 0 &&
  rehearsal.answers.length === 0 &&
  rehearsal.cleanUp.stuck.length === 0;
