import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildEnvFile, describeLibraries, type DemoFile } from './demo-file.ts';
import { DEMO_LIBRARIES, type DemoPorts } from './demo-libraries.ts';
import { buildDemoSecrets, type DemoSecrets } from './demo-secrets.ts';
import { findPlugin } from './find-plugin.ts';
import { endLeftovers, noteChildren } from './leftovers.ts';
import { leaveOlderCopies } from './older-copies.ts';
import { buildPassportYaml, secretVariable } from './passport-yaml.ts';
import { startDemoRedis } from './start-demo-redis.ts';
import { startDemoServices } from './start-demo-services.ts';
import { startKohas, type DemoKoha } from './start-kohas.ts';
import type { Surroundings } from './supervise-process.ts';

export interface RunningDemo {
  readonly file: DemoFile;
  readonly kohas: readonly DemoKoha[];
  /** Stops everything it started, those who take events first, and takes away `demo.json` and `env`. */
  stop(): Promise<void>;
}

/** What the demo takes from the process it runs in. */
export interface DemoSurroundings extends Omit<Surroundings, 'onStart'> {
  /** The project's root. */
  readonly root: string;
  /** Called once what an earlier demo has left is gone. */
  readonly choosePorts: () => Promise<DemoPorts>;
  /** This process. */
  readonly pid: number;
  readonly randomBytes: (size: number) => Buffer;
}

type Own = (close: () => Promise<unknown>) => void;

const OPERATOR = 'operator';

/** Starts the whole consortium afresh: Redis, three Kohas, receiver, worker and dashboard. */
export async function startDemo(surroundings: DemoSurroundings): Promise<RunningDemo> {
  const dir = join(surroundings.root, '.demo');
  const notes = join(dir, 'running.json');
  await endLeftovers(notes);
  const ports = await surroundings.choosePorts();
  await rm(dir, { recursive: true, force: true });
  await mkdir(join(dir, 'logs'), { recursive: true });

  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  const onStart = noteChildren(notes, surroundings.pid);
  closers.push(() => rm(notes, { force: true }));
  try {
    return {
      ...(await startParts({ ...surroundings, dir, ports, onStart }, (close) => closers.push(close))),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  surroundings: DemoSurroundings & Surroundings & { readonly dir: string; readonly ports: DemoPorts },
  own: Own,
): Promise<Omit<RunningDemo, 'stop'>> {
  const { dir, ports, say } = surroundings;
  const receiverUrl = `http://127.0.0.1:${ports.receiver}`;
  const dashboardUrl = `http://127.0.0.1:${ports.dashboard}`;
  const secrets = buildDemoSecrets(
    DEMO_LIBRARIES.map(({ id }) => id),
    surroundings.randomBytes,
  );
  say('Starting Redis and three Kohas');
  const redis = await startDemoRedis({ ...surroundings, password: secrets.redisPassword });
  own(() => redis.stop(5_000));
  const kohas = await startKohas(DEMO_LIBRARIES, {
    receiverUrl,
    ports,
    webhookSecrets: secrets.webhook,
    plugin: await findPlugin(surroundings.root, surroundings.env),
  });
  own(() => Promise.all(kohas.map(({ koha }) => koha.close())));
  leaveOlderCopies(kohas);

  say('Starting receiver, worker and dashboard');
  const env = buildEnv({ dir, secrets, kohas, redisUrl: redis.url, receiverUrl });
  const located = kohas.map(({ library, koha }) => ({ ...library, url: koha.url }));
  await writeFile(
    join(dir, 'passport.yaml'),
    buildPassportYaml(located, { receiver: receiverUrl, dashboard: dashboardUrl }),
  );
  const login = { DASHBOARD_USER: OPERATOR, DASHBOARD_PASSWORD: secrets.dashboardPassword };
  const services = await startDemoServices({ ...surroundings, variables: { ...env, ...login } });
  own(() => services.stop());

  const file: DemoFile = {
    receiver: receiverUrl,
    dashboard: {
      url: dashboardUrl,
      user: OPERATOR,
      password: secrets.dashboardPassword,
    },
    redis_url: redis.url,
    admin: services.adminUrls,
    env,
    libraries: describeLibraries(kohas, secrets.webhook),
  };
  await writeFile(join(dir, 'env'), buildEnvFile(env), { mode: 0o600 });
  await writeFile(join(dir, 'demo.json'), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  own(() => Promise.all(['demo.json', 'env'].map((name) => rm(join(dir, name), { force: true }))));
  return { file, kohas };
}

function buildEnv(of: {
  readonly dir: string;
  readonly secrets: DemoSecrets;
  readonly kohas: readonly DemoKoha[];
  readonly redisUrl: string;
  readonly receiverUrl: string;
}): Readonly<Record<string, string>> {
  const { dir, secrets, kohas, redisUrl, receiverUrl } = of;
  const ofLibraries = kohas.flatMap(({ library: { id }, koha }) => [
    [secretVariable(id, 'CLIENT_ID'), koha.credentials.clientId],
    [secretVariable(id, 'CLIENT_SECRET'), koha.credentials.clientSecret],
    [secretVariable(id, 'WEBHOOK_SECRET'), secrets.webhook[id] ?? ''],
  ]);
  return {
    PASSPORT_CONFIG: join(dir, 'passport.yaml'),
    PASSPORT_KEY: secrets.passportKey,
    REDIS_URL: redisUrl,
    PASSPORT_RECEIVER: receiverUrl,
    ...(Object.fromEntries(ofLibraries) as Record<string, string>),
  };
}
