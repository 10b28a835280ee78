import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatWebhookSecret } from '@passport/contract';
import {
  buildConsortiumFile,
  consortiumSecrets,
  freePort,
  shippedCommand,
  startProcess,
  type ServedLibrary,
  type StartedProcess,
} from '@passport/testkit';

/** A receiver as it was built, alone: no worker, no Koha. */
export interface LoneReceiver {
  readonly process: StartedProcess;
  readonly port: number;
  readonly url: string;
  readonly adminUrl: string;
  /** Webhook secrets of `riverside` and `midland`. */
  readonly secrets: Readonly<Record<'riverside' | 'midland', string>>;
  /** Starts the process again on the same ports, after it has ended. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What a receiver is started with; `env` of a test comes on top. */
export function receiverCommand(env: Readonly<Record<string, string>>) {
  return { ...shippedCommand(ROOT, 'receiver'), env };
}

/** Starts the built receiver and returns once it is ready; with `redisIsAway`, once it listens. */
export async function startReceiver(options: {
  readonly redisUrl: string;
  readonly redisIsAway?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** More keys of each library's entry in the configuration file. */
  readonly entry?: Readonly<Record<string, unknown>>;
}): Promise<LoneReceiver> {
  const dir = await mkdtemp(join(tmpdir(), 'passport-receiver-'));
  const libraries = ['riverside', 'midland'].map((id, index) => buildLibrary(id, index, options.entry ?? {}));
  await writeFile(join(dir, 'passport.yaml'), buildConsortiumFile(libraries));
  const [port, adminPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const command = receiverCommand({
    PASSPORT_CONFIG: join(dir, 'passport.yaml'),
    PASSPORT_KEY: randomBytes(32).toString('base64'),
    REDIS_URL: options.redisUrl,
    RECEIVER_PORT: String(port),
    RECEIVER_HOST: '127.0.0.1',
    ADMIN_PORT: String(adminPort),
    SHUTDOWN_GRACE: '5s',
    ...consortiumSecrets(libraries),
    ...options.env,
  });
  const sign = options.redisIsAway === true ? `${url}/openapi.json` : `${adminUrl}/readyz`;
  const start = () => startProcess({ ...command, readyWhen: async () => (await fetch(sign)).ok });
  let running = await start();
  const secretOf = (id: string): string => libraries.find((each) => each.id === id)?.webhookSecret ?? '';
  return {
    get process() {
      return running;
    },
    port,
    url,
    adminUrl,
    secrets: { riverside: secretOf('riverside'), midland: secretOf('midland') },
    async restart() {
      running = await start();
    },
    async stop() {
      await running.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function buildLibrary(id: string, index: number, entry: Readonly<Record<string, unknown>>): ServedLibrary {
  return {
    id,
    kohaUrl: `http://127.0.0.1:${9 + index}`,
    clientId: `client-of-${id}`,
    clientSecret: randomBytes(24).toString('base64url'),
    webhookSecret: formatWebhookSecret(randomBytes(32)),
    entry,
  };
}
