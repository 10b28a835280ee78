/**
 * Lua: `followedEvent(idempotency key, event id)`: the id of the event itself, or of the first one where it was coalesced, and what
 * its idempotency key holds. Part of other scripts.
 */
export const FOLLOWED_EVENT_LUA = `
local function followedEvent(key, event_id)
  local record = redis.call('GET', key)
  return record and string.match(record, '^%S+ %S (%S+)$') or event_id, record
end
`;
