/** An accepted event whose job is not there yet is on its way; older than this it was lost between admission and the queue. */
const ON_ITS_WAY_MS = 60_000;

/**
 * Lua: `stale(job key, accepted ms, now ms)` says whether an entry of a backlog counts no longer, because its job has
 * ended without taking it off, was removed, or never came. Part of other scripts.
 */
export const STALE_LUA = `
local function stale(job_key, accepted_ms, now_ms)
  if redis.call('EXISTS', job_key) == 0 then return now_ms - accepted_ms > ${ON_ITS_WAY_MS} end
  return redis.call('HEXISTS', job_key, 'finishedOn') == 1
end
`;
