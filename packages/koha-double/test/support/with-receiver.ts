import { fileURLToPath } from 'node:url';
import { startFakeReceiver, webhookSecret, type ReceivedEvent, type Respond } from './fake-receiver.ts';
import { withKoha, type TestKoha } from './with-koha.ts';

const pluginScriptPath = fileURLToPath(
  new URL('../../../../apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/main.js', import.meta.url),
);

/** A double whose events go to a receiver with the given answers. */
export async function withReceiver(
  respond: Respond | undefined,
  run: (koha: TestKoha, events: readonly ReceivedEvent[]) => Promise<void>,
  now?: () => number,
): Promise<void> {
  const receiver = await startFakeReceiver(respond);
  const webhook = { receiverUrl: receiver.url, secret: webhookSecret, staffWaitMs: 0 };
  try {
    await withKoha({ webhook, pluginScriptPath, ...(now === undefined ? {} : { now }) }, (koha) =>
      run(koha, receiver.events),
    );
  } finally {
    receiver.close();
  }
}
