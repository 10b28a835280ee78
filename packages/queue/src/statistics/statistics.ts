import {
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  type JobData,
  OUTCOMES,
  OVERRIDE_REASONS,
  type Outcome,
  type OverrideReason,
} from '@passport/contract';

/** What is counted of ended events: outcomes, checkouts that were made, reasons against them, and why staff have overridden these. */
export const COUNTED = [...OUTCOMES, 'CHECKED_OUT', ...ELIGIBILITY_REASONS, ...OVERRIDE_REASONS] as const;
export type Counted = Outcome | 'CHECKED_OUT' | EligibilityReason | OverrideReason;

/** The home library of a count: none where no home or several were found, others where a library's table is full. */
export const NO_HOME = '-';
export const OTHER_HOMES = '*';

/**
 * How many counts of one month and lending library are kept apart by home; more are counted under {@link OTHER_HOMES}. Redis keeps
 * a hash of this size without an index (`hash-max-listpack-entries`): some 30 bytes a count.
 */
const MOST_COUNTS = 480;
/** Five years from the end of the month, whenever in the month the last new count began. */
export const LIFE_SECONDS = (5 * 366 + 31) * 24 * 3600;

/** What one ended event adds to the statistics of its month (UTC) and lending library. */
export interface EventStatistics {
  readonly month: string;
  /** `HOME NAME...`, as the scripts read it. */
  readonly counted: string;
}

/** Of an event that nothing is counted for; a script names its keys all the same. */
export const NO_STATISTICS: EventStatistics = { month: 'none', counted: '' };

/** The month of a time, in UTC: `2026-11`. */
export const monthOf = (iso: string): string => new Date(iso).toISOString().slice(0, 'YYYY-MM'.length);

/**
 * What an event counts for, by its end: its outcome, the checkout if one was made, why a patron was not eligible if the lending
 * library shows that, and why they are here all the same where staff have overridden it. Nothing for an event that has not ended. Nothing of the patron is in it.
 */
export function statisticsOf({
  progress,
  decided = [],
}: Pick<JobData, 'progress' | 'decided'>): EventStatistics {
  const { outcome, reasons, homes, checkout, updated_at: endedAt } = progress;
  if (outcome === null) return NO_STATISTICS;
  const [home] = homes;
  const names: Counted[] = [outcome];
  if (checkout?.result === 'CHECKED_OUT') names.push('CHECKED_OUT');
  if (outcome === 'NOT_ELIGIBLE')
    names.push(...ELIGIBILITY_REASONS.filter((reason) => reasons.includes(reason)));
  const override = decided.find(({ question }) => question === 'OVERRIDE')?.option;
  if (outcome === 'COPIED' || outcome === 'ALREADY_LOCAL')
    names.push(...OVERRIDE_REASONS.filter((reason) => reason === override));
  const at = home !== undefined && homes.length === 1 ? home.id : NO_HOME;
  return { month: monthOf(endedAt), counted: [at, ...names].join(' ') };
}

/**
 * Lua: `count(counts, libraries, library, counted)` adds an ended event to its month, and `uncount(counts, counted)` takes it
 * out again, since it has not ended after all. Part of the scripts that end and reopen an event, so that neither can happen
 * without the other, and none twice.
 */
export const STATISTICS_LUA = `
local function uncount(counts, counted)
  local home, names = string.match(counted, '^(%S+) (.+)$')
  if not home then return end
  for name in string.gmatch(names, '%S+') do
    local field = home .. ' ' .. name
    if redis.call('HEXISTS', counts, field) == 0 then field = '${OTHER_HOMES} ' .. name end
    if redis.call('HEXISTS', counts, field) == 1 and redis.call('HINCRBY', counts, field, -1) <= 0 then
      redis.call('HDEL', counts, field)
    end
  end
end
local function count(counts, libraries, library, counted)
  local home, names = string.match(counted, '^(%S+) (.+)$')
  if not home then return end
  for name in string.gmatch(names, '%S+') do
    local field = home .. ' ' .. name
    -- All but the count itself is for a count that was not there before: most events cost one command for each name.
    if redis.call('HINCRBY', counts, field, 1) == 1 then
      if redis.call('HLEN', counts) > ${MOST_COUNTS} and home ~= '${OTHER_HOMES}' then
        redis.call('HDEL', counts, field)
        redis.call('HINCRBY', counts, '${OTHER_HOMES} ' .. name, 1)
      end
      redis.call('SADD', libraries, library)
      redis.call('EXPIRE', counts, ${LIFE_SECONDS})
      redis.call('EXPIRE', libraries, ${LIFE_SECONDS})
    end
  end
end
`;
