import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EventState } from '@passport/contract';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { startRedis, startServices } from '@passport/testkit';
import { type Ran, passport, webhookSecretOf } from './run-cli.ts';

const readText = (path: string): string => readFileSync(path, 'utf8');

/** Receiver and worker as they were built, on real Redis and two doubles of Koha. */
export interface RealService {
  readonly midland: KohaDouble;
  readonly riverside: KohaDouble;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the command in this process; `readFile` may show it other files. */
  here(args: readonly string[], input?: string, readFile?: typeof readText): Promise<Ran>;
  /** Scans a card at riverside and waits for the end. */
  send(card: string): Promise<{ code: number; event_id: string; state: EventState; steps: EventState[] }>;
  stop(): Promise<void>;
}

export async function startRealService(): Promise<RealService> {
  const redis = await startRedis();
  const midland = await startKohaDouble({ library: 'midland', seed: 'midland' });
  const riverside = await startKohaDouble({ library: 'riverside', seed: 'riverside' });
  const served = (double: KohaDouble, cards: string[]) => ({
    id: double.library,
    kohaUrl: double.url,
    ...double.credentials,
    webhookSecret: webhookSecretOf(double.library),
    cards,
  });
  const services = await startServices({
    redisUrl: redis.url,
    libraries: [served(midland, ['^21234\\d{9}$']), served(riverside, ['^25678\\d{9}$'])],
  });
  const env = { ...services.env, PASSPORT_RECEIVER: services.receivers[0]?.url ?? '' };
  const here: RealService['here'] = (args, input = '', readFile = readText) =>
    passport(args, env, { input, readFile, newId: () => `evt_${randomUUID()}` });
  return {
    midland,
    riverside,
    env,
    here,
    async send(card) {
      const ran = await here(['send', '--at', 'riverside', '--card', '-', '--wait', '--json'], `${card}\n`);
      const actual = JSON.parse(ran.out) as { event_id: string; state: EventState; steps: EventState[] };
      return { code: ran.code, ...actual };
    },
    async stop() {
      await services.stop();
      await Promise.all([midland.close(), riverside.close(), redis.stop()]);
    },
  };
}
