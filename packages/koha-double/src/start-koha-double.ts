import { randomBytes, randomUUID } from 'node:crypto';
import { TokenStore } from './auth/token-store.ts';
import { buildApp } from './build-app.ts';
import { recordCallShapes } from './call-shape.ts';
import { buildClock } from './clock.ts';
import type { SettingsChange } from './control/apply-settings.ts';
import { CallLog } from './control/call-log.ts';
import { buildControls, type Controls } from './control/controls.ts';
import { FaultQueue } from './control/fault-queue.ts';
import type { Double } from './double.ts';
import type { Exchange, ReceivedCall } from './exchange.ts';
import { defaultPattern } from './plugin/card-shape.ts';
import type { Release } from './release.ts';
import { derivedCredentials, type Credentials } from './seed/api-user.ts';
import { emptyDatabase } from './seed/load-seed.ts';
import type { SeedChoice } from './seed/resolve-seed.ts';
import { defaultSettings } from './settings.ts';
import { StaffSessions } from './staff-pages/staff-sessions.ts';

/** Where the plugin side of a double sends its events; waits default to the plugin's own. */
export interface WebhookOptions {
  readonly receiverUrl: string;
  /** `whsec_...` */
  readonly secret: string;
  /** The library's id at the receiver; default: the double's. */
  readonly library?: string;
  /** What is a card, as regular expressions; default: a digit somewhere, no blanks, 4 to 32 characters. */
  readonly patterns?: readonly string[];
  readonly staffWaitMs?: number;
  readonly selfCheckWaitMs?: number;
}

export interface KohaDoubleOptions {
  /** The library's id; also picks the derived credentials. */
  readonly library: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly release?: Release;
  /** Default `empty`: set up for visitors, nobody there. */
  readonly seed?: SeedChoice;
  readonly latencyMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Default true: the passport plugin is installed. */
  readonly plugin?: boolean;
  readonly webhook?: WebhookOptions | undefined;
  /** The plugin's `desk/main.js`, with all of that folder beside it; without it staff pages have no panel. */
  readonly pluginScriptPath?: string;
  /** The plugin's `t/bin/plugin-page.pl`, which runs its configuration and tool page by its own Perl; without it they are only listed. */
  readonly pluginPagesPath?: string;
  /** The packed plugin (`.kpz`), offered for download on the staff pages. */
  readonly kpzPath?: string;
  /** PEM texts: speak https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** `derived` (default): the same for the same library; `random`: new ones. */
  readonly credentials?: Credentials | 'derived' | 'random';
  /** Gets every answered API call: to hold it against Koha's description, see `describeKoha` in @passport/koha-description. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Gets every API call as it is read, those too that a fault then cuts or leaves without an answer. */
  readonly onCall?: (call: ReceivedCall) => void;
  /** Anything else that `PUT /_double/settings` takes. */
  readonly settings?: SettingsChange;
}

/** One running stand-in for a Koha. */
export interface KohaDouble extends Controls {
  readonly library: string;
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** The key pair of the service's user. */
  readonly credentials: Credentials;
  /** Ends it at once, open and hanging connections too. */
  close(): Promise<void>;
}

/** Starts a double and resolves when it listens. Rejects when the port is taken or a setting is not understood. */
export async function startKohaDouble(options: KohaDoubleOptions): Promise<KohaDouble> {
  const credentials = credentialsOf(options);
  const double = buildDouble(options);
  const controls = buildControls(double, credentials);
  controls.seed(options.seed ?? 'empty');
  controls.putSettings(settingsOf(options));
  const app = buildApp(double, controls, options.tls);
  const host = options.host ?? '127.0.0.1';
  await app.listen({ host, port: options.port ?? 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...controls,
    library: options.library,
    url: `${options.tls === undefined ? 'http' : 'https'}://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`,
    port,
    credentials,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function buildDouble(options: KohaDoubleOptions): Double {
  const settings = defaultSettings();
  const now = options.now ?? Date.now;
  return {
    library: options.library,
    settings,
    db: emptyDatabase(),
    tokens: new TokenStore(),
    calls: new CallLog(),
    faults: new FaultQueue(),
    sessions: new StaffSessions(),
    clock: buildClock(now, () => settings),
    tokenSecret: randomBytes(32).toString('hex'),
    realNowMs: now,
    newId: randomUUID,
    waiting: { isTaken: false },
    files: {
      pluginScript: options.pluginScriptPath,
      pluginPages: options.pluginPagesPath,
      kpz: options.kpzPath,
    },
    onExchange: listenerOf(options),
    onCall: options.onCall,
  };
}

/** In a run of the whole suite, what the client sends is also written down, to be held against its table of calls. */
function listenerOf({ onExchange }: KohaDoubleOptions): KohaDoubleOptions['onExchange'] {
  const folder = process.env['KOHA_CALL_SHAPES'] ?? '';
  if (folder === '') return onExchange;
  const record = recordCallShapes(folder);
  return (exchange) => {
    record(exchange);
    onExchange?.(exchange);
  };
}

function settingsOf(options: KohaDoubleOptions): SettingsChange {
  const { webhook } = options;
  return {
    ...(options.release === undefined ? {} : { release: options.release }),
    ...(options.latencyMs === undefined ? {} : { latency_ms: options.latencyMs }),
    ...(options.plugin === undefined ? {} : { plugin: options.plugin }),
    ...(webhook === undefined
      ? {}
      : {
          webhook: {
            receiver_url: webhook.receiverUrl,
            secret: webhook.secret,
            library: webhook.library ?? options.library,
            patterns: webhook.patterns ?? [defaultPattern],
            staff_wait_ms: webhook.staffWaitMs ?? 1500,
            self_check_wait_ms: webhook.selfCheckWaitMs ?? 3000,
          },
        }),
    ...options.settings,
  };
}

function credentialsOf({ credentials, library }: KohaDoubleOptions): Credentials {
  if (credentials === 'random') {
    return { clientId: randomUUID(), clientSecret: randomBytes(24).toString('base64url') };
  }
  return credentials === undefined || credentials === 'derived' ? derivedCredentials(library) : credentials;
}
