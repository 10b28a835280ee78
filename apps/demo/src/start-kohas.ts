import { startKohaDouble, type KohaDouble } from '@passport/koha-double';
import type { DemoLibrary, DemoPorts } from './demo-libraries.ts';
import type { PluginParts } from './find-plugin.ts';

export interface DemoKoha {
  readonly library: DemoLibrary;
  readonly koha: KohaDouble;
}

/**
 * Starts the Koha stand-ins, each with its own people, books and API user, and with the plugin that reports unknown
 * cards to the receiver.
 */
export async function startKohas(
  libraries: readonly DemoLibrary[],
  options: {
    readonly receiverUrl: string;
    readonly ports: DemoPorts;
    readonly webhookSecrets: Readonly<Record<string, string>>;
    readonly plugin: PluginParts;
  },
): Promise<readonly DemoKoha[]> {
  const started = await Promise.allSettled(
    libraries.map(async (library): Promise<DemoKoha> => {
      const koha = await startKohaDouble({
        library: library.id,
        port: options.ports[library.id],
        seed: library.id,
        credentials: 'random',
        webhook: {
          receiverUrl: options.receiverUrl,
          secret: options.webhookSecrets[library.id] ?? '',
        },
        ...options.plugin,
      });
      return { library, koha };
    }),
  );
  const kohas = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed === undefined) return kohas;
  await Promise.all(kohas.map(({ koha }) => koha.close()));
  throw failed.reason;
}
