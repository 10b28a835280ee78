import { formatWebhookSecret } from '@passport/contract';
import { defineCommand, flag } from '../../program/index.ts';

/** Both kinds have 256 bits: as many as AES-256 needs, and too many to guess a signature. */
const SECRET_BYTES = 32;

export const secretNew = defineCommand({
  summary: 'generate a webhook secret and a PASSPORT_KEY',
  description: 'Generates secrets with the random number generator of the operating system. Stores nothing.',
  examples: [
    'passport secret new',
    'passport secret new --webhook > secrets/riverside_webhook',
    'passport secret new --key > secrets/passport_key',
  ],
  options: {
    webhook: flag("only a webhook secret, which signs one library's events", ['key']),
    key: flag('only a PASSPORT_KEY, which encrypts cards in the queue'),
  },
  run: ({ webhook, key }, _args, report, { randomBytes }) => {
    const webhookSecret = formatWebhookSecret(randomBytes(SECRET_BYTES));
    const passportKey = randomBytes(SECRET_BYTES).toString('base64');
    report.json({
      ...(key === true ? {} : { webhook_secret: webhookSecret }),
      ...(webhook === true ? {} : { passport_key: passportKey }),
    });
    if (webhook === true) report.line(webhookSecret);
    else if (key === true) report.line(passportKey);
    else {
      report.line("# signs one library's events: for the service and for the Koha plugin");
      report.line(`WEBHOOK_SECRET=${webhookSecret}`);
      report.line('# encrypts cards in the queue: the same for receiver, worker and command line');
      report.line(`PASSPORT_KEY=${passportKey}`);
    }
    return 0;
  },
});
