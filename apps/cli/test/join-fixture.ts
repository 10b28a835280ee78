import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { formatPastedRequest, joinFingerprint, type JoinInvitation } from '@passport/contract';
import {
  createEncryption,
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { openInvitations } from '@passport/queue/joining';
import { buildJoinRequest, type StartedRedis, startRedis } from '@passport/testkit';
import { randomBytes } from 'node:crypto';
import { changeFiles } from '../src/connect/change-files.ts';
import { passport, type Ran } from './run-cli.ts';

const KEY = Buffer.from('ke+y0123/456789abcdefghijklmnopq');

/** To make a key takes a second: these are of the vectors. */
const VECTOR = (
  JSON.parse(
    readFileSync(new URL('../../../packages/contract/vectors/join.json', import.meta.url), 'utf8'),
  ) as { invitation: { payload: JoinInvitation; private_key: string } }
).invitation;

/** An installation with one library, as files in a folder of its own. */
export interface Joining {
  folder: string;
  path: string;
  redis: Redis;
  server: StartedRedis;
  env: NodeJS.ProcessEnv;
  /** What names stand for. */
  lookup: (host: string) => Promise<readonly string[]>;
  /** Called once files have been written. */
  written: () => void;
  accept(fingerprint: string, ...more: string[]): Promise<Ran>;
  /** The same where its Koha is one that nobody can reach from here. */
  acceptUntried(fingerprint: string, ...more: string[]): Promise<Ran>;
  /** Expects that nothing was written. */
  unchanged(): void;
  run(args: readonly string[], input?: string, more?: Parameters<typeof passport>[2]): Promise<Ran>;
  /** Invites a library as the command does, and returns what is behind the link's `#`. */
  invite(library?: string): Promise<JoinInvitation>;
  /** Puts a request where it waits, as the receiver does; returns its fingerprint. */
  ask(invitation: JoinInvitation, ...change: Change): Promise<string>;
  file(name?: string): string;
}
type Change = Parameters<typeof buildJoinRequest> extends [unknown, ...infer Rest] ? Rest : never;

export const FILE = `consortium: Test Libraries # ours
public: { receiver: 'https://passport.example.org' }
libraries:
  # the first one
  - id: riverside
    name: Riverside County Library
    koha:
      url: http://127.0.0.1:9
      client_id: { env: RIVERSIDE_ID }
      client_secret: { env: RIVERSIDE_SECRET }
    webhook_secrets: [{ env: RIVERSIDE_WEBHOOK }]
    cards: ['^25678\\d{9}$']
    copy: { category: PT }
agreements: all # with all
`;

export function useJoining(): Joining {
  const joining = {} as Joining;
  beforeAll(async () => {
    const server = await startRedis();
    const log = createLogger({ name: 'test', level: 'silent' });
    const redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
    await untilRedisReady(redis, 5_000);
    Object.assign(joining, { server, redis });
  });
  afterAll(async () => {
    await closeRedis(joining.redis);
    await joining.server.stop();
  });
  beforeEach(async () => {
    await joining.server.call('FLUSHALL');
    const folder = mkdtempSync(join(tmpdir(), 'passport-join-'));
    const path = join(folder, 'passport.yaml');
    writeFileSync(path, FILE);
    const env = {
      PASSPORT_CONFIG: path,
      PASSPORT_KEY: KEY.toString('base64'),
      REDIS_URL: joining.server.url,
      RIVERSIDE_ID: '81aa-riverside',
      RIVERSIDE_SECRET: 'riv-b2094c-kept-out',
      RIVERSIDE_WEBHOOK: `whsec_${Buffer.from('r1-2_3.4'.repeat(4)).toString('base64')}`,
    };
    const lookup = () => Promise.resolve(['192.0.2.1']);
    Object.assign(joining, { folder, path, env, lookup, written: () => undefined });
  });
  afterEach(() => rmSync(joining.folder, { recursive: true, force: true }));
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  joining.run = (args, input = '', more = {}) =>
    passport(args, joining.env, {
      ...more,
      input,
      readFile,
      changeFiles(changes) {
        changeFiles(changes);
        joining.written();
      },
      lookup: (host) => joining.lookup(host),
      randomBytes,
      now: Date.now,
    });
  joining.accept = (fingerprint, ...more) =>
    joining.run(['library', 'accept', 'midland', '--fingerprint', fingerprint, ...more]);
  joining.acceptUntried = (fingerprint, ...more) => joining.accept(fingerprint, '--untried', ...more);
  joining.unchanged = () => {
    expect(joining.file()).toBe(FILE);
    expect(readdirSync(joining.folder)).toEqual(['passport.yaml']);
  };
  joining.file = (name = 'passport.yaml') => readFile(join(joining.folder, name));
  joining.invite = async (library = 'midland') => {
    const madeMs = Date.now();
    const invitation = {
      ...VECTOR.payload,
      invitation: `inv_${randomBytes(16).toString('base64url')}`,
      token: randomBytes(32).toString('base64url'),
      library,
      name: `Library of ${library}`,
    };
    await openInvitations(joining.redis, createEncryption([KEY])).add({
      ...invitation,
      privateKey: VECTOR.private_key,
      madeMs,
      endsMs: madeMs + 3_600_000,
    });
    return invitation;
  };
  joining.ask = async (invitation, ...change) => {
    const { body } = buildJoinRequest(invitation, ...change);
    const invitations = openInvitations(joining.redis, createEncryption([KEY]));
    await invitations.keep(invitation.invitation, body);
    return joinFingerprint(body);
  };
  return joining;
}

/** What a library asks with, where its Koha is another one. */
export const request = (change: object) => ({
  koha: {
    url: 'https://staff.midland.example.org',
    version: '25.05.01',
    plugin: '1.0.0',
    branches: 3,
    ...change,
  },
});

/** A request as a text. */
export const pasted = (...asked: Parameters<typeof buildJoinRequest>): string =>
  formatPastedRequest(buildJoinRequest(...asked));
