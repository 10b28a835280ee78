import { expect, test } from '@jest/globals';
import { DeadlineError, translateRedisError } from '@passport/runtime';

const reply = (message: string) =>
  Object.assign(new Error(message), { name: 'ReplyError', command: { name: 'evalsha', args: ['hunter2'] } });

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'. script: 12, on @user_script:3.", 'full'],
  ['ERR Error running script: @user_script: 9: -OOM command not allowed when used memory', 'full'],
  ['MISCONF Redis is configured to save RDB snapshots, but', 'full'],
  ["READONLY You can't write against a read only replica.", 'readonly'],
  ['LOADING Redis is loading the dataset in memory', 'loading'],
  ['CLUSTERDOWN The cluster is down', 'unavailable'],
  ['NOREPLICAS Not enough good replicas to write.', 'unavailable'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'unavailable'],
  ['NOAUTH Authentication required.', 'unavailable'],
  ['ERR max number of clients reached', 'unavailable'],
  ['Connection is closed.', 'unavailable'],
  ['Command aborted due to connection close', 'unavailable'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'unavailable'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'bug'],
  ['ERR Error compiling script (new function): user_script:1: hunter2', 'bug'],
])('%s is %s, named by its command without arguments', (message, kind) => {
  const failure = translateRedisError(reply(message));
  expect(failure.kind).toBe(kind);
  expect(failure.message).toMatch(/^Redis \(evalsha\): ./);
  expect(JSON.stringify(failure)).not.toContain('hunter2');
});

test('a transaction that was discarded is what its command was refused for', () => {
  const whole = reply('EXECABORT Transaction discarded because of previous errors.');
  expect(translateRedisError(Object.assign(whole, { previousErrors: [] })).kind).toBe('bug');
  const previousErrors = [reply('OOM command not allowed when used memory')];
  expect(translateRedisError(Object.assign(whole, { previousErrors }))).toEqual({
    kind: 'full',
    message: 'Redis (evalsha): out of memory',
  });
});

test('a socket error is named by its code, with no address', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:6379'), { code: 'ECONNREFUSED' });
  expect(translateRedisError(error)).toEqual({
    kind: 'unavailable',
    message: 'Redis (connection): ECONNREFUSED',
  });
});

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])('%s of a connection is trouble of Redis', (code) => {
  expect(translateRedisError(Object.assign(new Error('x'), { code })).kind).toBe('unavailable');
});

test.each([
  'ERR_INVALID_ARG_TYPE',
  'ERR_OUT_OF_RANGE',
  'ERR_ASSERTION',
  'ERR_MODULE_NOT_FOUND',
  'ERR_STREAM_DESTROYED',
  'ERR_TLS_INVALID_PROTOCOL_VERSION',
  'ENOSPC',
  'EACCES',
  'EISDIR',
  'ENOENT',
  'EMFILE',
  'E',
  'EVIL',
])('%s is a bug or the trouble of a file, never of Redis', (code) => {
  expect(translateRedisError(Object.assign(new Error('x'), { code })).kind).toBe('bug');
});

test('a call that was not answered in time is unavailable', () => {
  expect(translateRedisError(new DeadlineError('adding the job', 500)).kind).toBe('unavailable');
});

test.each([undefined, null, 'text', 7, {}, new Error('')])('%p is a bug, and nothing is thrown', (error) => {
  expect(translateRedisError(error).kind).toBe('bug');
});
