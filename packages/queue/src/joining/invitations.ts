import * as z from 'zod';
import { joinFingerprint } from '@passport/contract';
import { DecryptionError, type Encryption, type Redis } from '@passport/runtime';
import { invitationKey, invitationsKey } from '../keys.ts';
import { NOW_LUA, defineScript, execAll } from '../redis/index.ts';

/** A consortium does not wait for more libraries at once, and a request for a forgotten one is worth nothing. */
export const MOST_INVITATIONS = 100;
/** A library that needs more tries gets a new invitation. */
export const MOST_DISCARDED = 10;

/** An invitation as it is made. Token and key are kept encrypted, and go with it. */
export interface NewInvitation {
  readonly invitation: string;
  readonly library: string;
  readonly name: string;
  /** Base64url. */
  readonly token: string;
  /** PKCS 8 in DER, base64url. */
  readonly privateKey: string;
  /** By Redis's clock, as all times here. */
  readonly madeMs: number;
  readonly endsMs: number;
}

const text = z.string().min(1);
const time = z.string().regex(/^\d+$/).transform(Number);
const storedSchema = z.object({
  library: text,
  name: text,
  made_ms: time,
  ends_ms: time,
  fingerprint: text.optional(),
  received_ms: time.optional(),
});

/** A request that waits for an operator; what it says stays encrypted until one opens it. */
export interface WaitingRequest {
  readonly fingerprint: string;
  readonly receivedMs: number;
}

/** An open invitation. Nothing in it is secret. */
export interface ListedInvitation {
  readonly invitation: string;
  readonly library: string;
  readonly name: string;
  readonly madeMs: number;
  readonly endsMs: number;
  /** Null: nobody has asked by it yet. */
  readonly request: WaitingRequest | null;
}

/** A request as its sender wrote it, with the key that opens what is sealed in it. */
export interface OpenedRequest extends WaitingRequest {
  readonly body: string;
  readonly privateKey: string;
}

/** KEYS 1 invitations, 2 the invitation; ARGV 1 library, 2 id, 3 prefix of invitations, 4 most, 5 end in ms, then fields and values */
const ADD_LUA = `
local open = redis.call('HGETALL', KEYS[1])
for at = 1, #open, 2 do
  if redis.call('EXISTS', ARGV[3] .. open[at + 1]) == 0 then redis.call('HDEL', KEYS[1], open[at]) end
end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 'exists' end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 6))
redis.call('PEXPIREAT', KEYS[2], ARGV[5])
return 'added'
`;

/** KEYS 1 the invitation; ARGV 1 fingerprint, 2 the request, encrypted. The first request stays until an operator is done with it. */
const KEEP_LUA = `${NOW_LUA}
if redis.call('EXISTS', KEYS[1]) == 0 then return 'ended' end
local waiting = redis.call('HGET', KEYS[1], 'fingerprint')
if waiting then return waiting == ARGV[1] and 'same' or 'other' end
if string.find(redis.call('HGET', KEYS[1], 'discarded') or '', ARGV[1] .. ',', 1, true) then return 'discarded' end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'request', ARGV[2], 'received_ms', nowMs())
return 'kept'
`;

/** KEYS 1 the invitation; ARGV 1 most. What was discarded is remembered, so that nobody who kept a copy of it can put it back. */
const DISCARD_LUA = `
local waiting = redis.call('HGET', KEYS[1], 'fingerprint')
if not waiting then return 'none' end
local discarded = redis.call('HGET', KEYS[1], 'discarded') or ''
local _, count = string.gsub(discarded, ',', '')
if count >= tonumber(ARGV[1]) then return 'too_often' end
redis.call('HSET', KEYS[1], 'discarded', discarded .. waiting .. ',')
redis.call('HDEL', KEYS[1], 'fingerprint', 'request', 'received_ms')
return 'discarded'
`;

/** KEYS 1 invitations; ARGV 1 library, 2 id: only this one, 3 prefix of invitations */
const END_LUA = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('DEL', ARGV[3] .. ARGV[2])
`;

const PREFIX = invitationKey('');

/**
 * The invitations to join, and what was asked by them. Secrets are encrypted, each for its place; every step is atomic, so that an invitation is
 * used once whoever comes at the same time. All methods reject with Redis's error.
 */
export interface Invitations {
  /** `exists`: the library has one that is open. `full`: there are {@link MOST_INVITATIONS}. */
  add(invitation: NewInvitation): Promise<'added' | 'exists' | 'full'>;
  /** The open ones, the oldest first. */
  list(): Promise<ListedInvitation[]>;
  /** Whose an open invitation is, and its token; null: there is none, or no key of this process opens it. */
  readToken(invitation: string): Promise<{ readonly library: string; readonly token: string } | null>;
  /** Keeps a request whose sender has the token. `same`: this one waits already; `other`: another one does; `discarded`: an operator has discarded it. */
  keep(invitation: string, body: string): Promise<'kept' | 'same' | 'other' | 'discarded' | 'ended'>;
  /** The request that waits at a library's invitation; null: none does. Throws DecryptionError. */
  open(listed: ListedInvitation): Promise<OpenedRequest | null>;
  /** Takes the waiting request away, and keeps the invitation. */
  discard(listed: ListedInvitation): Promise<'discarded' | 'none' | 'too_often'>;
  /** Ends an invitation with all that belongs to it; false: it had ended. */
  end(listed: Pick<ListedInvitation, 'library' | 'invitation'>): Promise<boolean>;
}

export function openInvitations(redis: Redis, encryption: Encryption): Invitations {
  const add = defineScript(redis, 'passportAddInvitation', ADD_LUA);
  const keep = defineScript(redis, 'passportKeepJoinRequest', KEEP_LUA);
  const discard = defineScript(redis, 'passportDiscardJoinRequest', DISCARD_LUA);
  const end = defineScript(redis, 'passportEndInvitation', END_LUA);
  const contextOf = (invitation: string, what: string): string => `join ${invitation} ${what}`;
  return {
    async add({ invitation, library, name, token, privateKey, madeMs, endsMs }) {
      const secret = (what: string, plain: string) => encryption.encrypt(plain, contextOf(invitation, what));
      const fields = {
        library,
        name,
        made_ms: madeMs,
        ends_ms: endsMs,
        token: secret('token', token),
        private_key: secret('private_key', privateKey),
      };
      const args = [library, invitation, PREFIX, MOST_INVITATIONS, endsMs, ...Object.entries(fields).flat()];
      const added = await add([invitationsKey, invitationKey(invitation)], args);
      return added as 'added' | 'exists' | 'full';
    },
    list: () => listInvitations(redis),
    async readToken(invitation) {
      const [library, token] = await redis.hmget(invitationKey(invitation), 'library', 'token');
      if (typeof library !== 'string' || typeof token !== 'string') return null;
      try {
        return { library, token: encryption.decrypt(token, contextOf(invitation, 'token')) };
      } catch (error) {
        if (error instanceof DecryptionError) return null;
        throw error;
      }
    },
    async keep(invitation, body) {
      const encrypted = encryption.encrypt(body, contextOf(invitation, 'request'));
      const kept = await keep([invitationKey(invitation)], [joinFingerprint(body), encrypted]);
      return kept as 'kept' | 'same' | 'other' | 'discarded' | 'ended';
    },
    async open({ invitation }) {
      const stored = await redis.hmget(invitationKey(invitation), 'request', 'private_key', 'received_ms');
      const [request, key, received] = stored.map((value) => value ?? '');
      if (request === undefined || request === '' || key === undefined) return null;
      const body = encryption.decrypt(request, contextOf(invitation, 'request'));
      const privateKey = encryption.decrypt(key, contextOf(invitation, 'private_key'));
      // Of what was kept, and not what stands beside it.
      return { body, privateKey, fingerprint: joinFingerprint(body), receivedMs: Number(received) };
    },
    async discard({ invitation }) {
      const done = await discard([invitationKey(invitation)], [MOST_DISCARDED]);
      return done as 'discarded' | 'none' | 'too_often';
    },
    async end({ library, invitation }) {
      return (await end([invitationsKey], [library, invitation, PREFIX])) === 1;
    },
  };
}

/** The open invitations, the oldest first, for whoever has no key: nothing in them is secret. */
export async function listInvitations(redis: Redis): Promise<ListedInvitation[]> {
  const ids = Object.values(await redis.hgetall(invitationsKey));
  if (ids.length === 0) return [];
  const reads = redis.multi();
  for (const id of ids)
    reads.hmget(invitationKey(id), 'library', 'name', 'made_ms', 'ends_ms', 'fingerprint', 'received_ms');
  const found = (await execAll(reads)) as (string | null)[][];
  const listed = found.flatMap((values, place): ListedInvitation[] => {
    const [library, name, made, ends, fingerprint, received] = values.map((value) => value ?? undefined);
    const fields = { library, name, made_ms: made, ends_ms: ends, fingerprint, received_ms: received };
    // One that has ended meanwhile, or that another version wrote.
    const read = z.safeParse(storedSchema, fields);
    if (!read.success) return [];
    const { made_ms: madeMs, ends_ms: endsMs, received_ms: receivedMs, ...own } = read.data;
    const request =
      own.fingerprint === undefined || receivedMs === undefined
        ? null
        : { fingerprint: own.fingerprint, receivedMs };
    return [{ invitation: ids[place] ?? '', library: own.library, name: own.name, madeMs, endsMs, request }];
  });
  return listed.toSorted((one, other) => one.madeMs - other.madeMs);
}
