import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RedisUrlError, parseRedisUrl } from '@passport/contract';

const open = { tls: false, username: null, password: null };

test.each([
  ['redis://localhost', { kind: 'single', node: { host: 'localhost', port: 6379 }, db: 0, ...open }],
  ['redis://redis:6380/3', { kind: 'single', node: { host: 'redis', port: 6380 }, db: 3, ...open }],
  ['redis://[::1]:6380', { kind: 'single', node: { host: '::1', port: 6380 }, db: 0, ...open }],
  [
    'rediss://r.example:6380',
    { kind: 'single', node: { host: 'r.example', port: 6380 }, db: 0, ...open, tls: true },
  ],
  [
    'redis://:p%40ss@redis?db=2',
    { kind: 'single', node: { host: 'redis', port: 6379 }, db: 2, ...open, password: 'p@ss' },
  ],
  [
    'redis://app:a/b+c=@redis',
    {
      kind: 'single',
      node: { host: 'redis', port: 6379 },
      db: 0,
      tls: false,
      username: 'app',
      password: 'a/b+c=',
    },
  ],
  [
    'redis+sentinel://:pw@s1,s2:26380/passport?db=1&tls=1&sentinel_password=q',
    {
      kind: 'sentinel',
      nodes: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 26_380 },
      ],
      name: 'passport',
      db: 1,
      sentinelPassword: 'q',
      tls: true,
      username: null,
      password: 'pw',
    },
  ],
  [
    'redis+cluster://app:pw@c1:7000,c2:7001?tls=1',
    {
      kind: 'cluster',
      nodes: [
        { host: 'c1', port: 7_000 },
        { host: 'c2', port: 7_001 },
      ],
      tls: true,
      username: 'app',
      password: 'pw',
    },
  ],
])('%s is understood', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
});

test.each([
  ['redis:hunter2', 'is none of'],
  ['http://:hunter2@redis', 'has a scheme other than'],
  ['redis://hunter2@redis', 'has a user but no password'],
  ['redis://:hunter2%@redis', 'has a password that is not percent-encoded'],
  ['redis://:hunter2@', 'host 1 is not a host or host:port'],
  ['redis://:hunter2@redis:99999', 'the port of host 1 is not 1-65535'],
  ['redis://:hunter2@redis:0', 'the port of host 1 is not 1-65535'],
  ['redis://:hunter2@a,b', 'names several hosts'],
  ['redis://:hunter2@redis/hunter2', 'the database is not a number'],
  ['redis://:hunter2@redis?hunter2=1', 'has an option other than'],
  ['redis://:hunter2@redis?tls=hunter2', 'tls is neither 0 nor 1'],
  ['redis+sentinel://:hunter2@a:1,b:2', 'names no master'],
  ['redis+sentinel://:hunter2@a:1,:2/passport', 'host 2 is not a host or host:port'],
  ['redis+cluster://:hunter2@a:1/0', 'a cluster has no database number'],
])('%s is refused, naming the problem and not the password', (url, problem) => {
  expect(() => parseRedisUrl(url)).toThrow(RedisUrlError);
  expect(() => parseRedisUrl(url)).toThrow(problem);
  expect(() => parseRedisUrl(url)).not.toThrow(/hunter2/);
});

test('no error ever shows a password', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ['redis', 'rediss', 'x'] }), (url) => {
      const secret = 's3cr3t-zzz';
      try {
        parseRedisUrl(url.replace('://', `://u:${secret}%@`));
        return true;
      } catch (error) {
        return error instanceof RedisUrlError && !error.message.includes(secret);
      }
    }),
  );
});
