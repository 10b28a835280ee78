import { DeadlineError } from './deadline.ts';
import { plainText } from './plain-text.ts';

/** Redis cannot do it now. Built from a kind and a command's name: no arguments, no URL, no cause. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
  readonly code = 'REDIS_UNAVAILABLE';
}

/**
 * What a failed Redis call means: `unavailable` (no connection, no answer, no quorum, no way in), `full` (out of
 * memory or disk), `readonly` (we talk to a replica), `loading` (it reads its file), `bug` (anything else).
 * `message` names the command, never its arguments.
 */
export interface RedisFailure {
  readonly kind: 'unavailable' | 'full' | 'readonly' | 'loading' | 'bug';
  readonly message: string;
}

/** By Redis's own error codes; BullMQ's scripts wrap some of them in a sentence. */
const REPLIES: readonly (readonly [RegExp, RedisFailure['kind'], string])[] = [
  [/\bOOM command not allowed/, 'full', 'out of memory'],
  [/^MISCONF\b/, 'full', 'cannot write its file'],
  [/\bREADONLY You can't write/, 'readonly', 'is a read-only replica'],
  [/^LOADING\b/, 'loading', 'is loading its data'],
  [/^ERR max number of clients reached/, 'unavailable', 'has too many clients'],
  [/^(NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|UNBLOCKED)\b/, 'unavailable', ''],
  [/^(NOAUTH|WRONGPASS|NOPERM)\b/, 'unavailable', 'refuses our user or password'],
  [/^Too many Cluster redirections/, 'unavailable', 'too many redirections'],
  [
    /^(Connection is closed|Command aborted due to connection close|Socket timeout|Stream isn't writeable|Command timed out|All sentinels are un)/,
    'unavailable',
    '',
  ],
  [
    /^(Failed to refresh slots cache|Reached the max retries|Cluster isn't ready|None of startup)/,
    'unavailable',
    '',
  ],
];

/**
 * What sockets, names and certificates fail with, and nothing else: Node's own errors (`ERR_INVALID_ARG_TYPE`) and those of
 * files (`ENOSPC`, `EACCES`) have codes of the same look, and are bugs or troubles that no waiting for Redis ends.
 */
const NETWORK_CODE =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTCONN|EPROTO|EHOST(UNREACH|DOWN)|ENET(UNREACH|DOWN|RESET)|EADDRNOTAVAIL|ENOTFOUND|EAI_[A-Z]+)$/;
const TLS_CODE =
  /^(CERT_[A-Z_]+|[A-Z_]*SELF_SIGNED[A-Z_]*|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_[A-Z_]+|ERR_TLS_(CERT|HANDSHAKE|SESSION)_[A-Z_]+|ERR_SSL_\w+)$/;

/** Reads an error of ioredis or BullMQ; throws nothing, whatever it is given. */
export function translateRedisError(error: unknown): RedisFailure {
  const refused = firstRefused(error);
  if (refused !== null) return translateRedisError(refused);
  const command = commandName(error);
  if (error instanceof DeadlineError) return failure('unavailable', command, 'no answer in time');
  const text = readText(error, 'message');
  const code = readText(error, 'code');
  if (NETWORK_CODE.test(code) || TLS_CODE.test(code)) return failure('unavailable', command, code);
  for (const [pattern, kind, meaning] of REPLIES) {
    const match = pattern.exec(text);
    if (match !== null) return failure(kind, command, meaning || match[0]);
  }
  if (readText(error, 'name') === 'MaxRetriesPerRequestError')
    return failure('unavailable', command, 'no connection');
  return failure('bug', command, plainText(text.split(/[\s,:]/, 1)[0] ?? '') || 'unknown error');
}

function failure(kind: RedisFailure['kind'], command: string, meaning: string): RedisFailure {
  return { kind, message: `Redis (${command}): ${meaning}` };
}

/** The command that a transaction was discarded for: only it says why, and ioredis lists it with the failure of the whole. */
function firstRefused(error: unknown): Error | null {
  if (!(error instanceof Error && 'previousErrors' in error)) return null;
  const refused: unknown = error.previousErrors;
  const first: unknown = Array.isArray(refused) ? refused[0] : null;
  return first instanceof Error ? first : null;
}

function commandName(error: unknown): string {
  const command = typeof error === 'object' && error !== null && 'command' in error ? error.command : null;
  const name = readText(command, 'name');
  return /^[a-z]{1,20}$/i.test(name) ? name.toLowerCase() : 'connection';
}

function readText(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null || !(key in value)) return '';
  const text = (value as Record<string, unknown>)[key];
  return typeof text === 'string' ? text : '';
}
