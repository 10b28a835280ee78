import { NOTIFICATION_TOPICS } from '@passport/contract';
import * as z from 'zod';
import { flag, words } from './leaf-schemas.ts';
import { secretSource } from '../secrets/secret-source.ts';

/** What holds for a notified endpoint unless its entry says otherwise. */
export const NOTIFY_DEFAULTS = {
  format: 'standard',
  topics: 'all',
  libraries: 'all',
  allow_http: false,
} as const;

/** One entry of `notify`: where operators are notified. */
export const notifySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
    .meta({
      description: 'Its name in log, metrics and `passport notify test`.',
      allowed: '1 to 40 of a-z 0-9 and -, not - first',
    }),
  url: z.union([z.string(), secretSource]).meta({
    description:
      'Where messages are posted. An address of Slack or Teams is a secret itself: give it by reference.',
    allowed:
      'https://HOST[:PORT]/PATH, {env: NAME} or {file: PATH}; http only for loopback, or for a compose service with allow_http: true',
  }),
  format: words(
    ['standard', 'slack', 'teams'],
    '`standard`: JSON, signed as Standard Webhooks. `slack`: for an incoming webhook of Slack. `teams`: for a workflow of Microsoft Teams.',
  ),
  secret: secretSource.meta({
    description: 'Signs the messages of the format `standard`; the others are not signed.',
    allowed: '{env: NAME} or {file: PATH} of what `passport secret new` prints; never the secret itself',
  }),
  topics: z.union([z.literal('all'), z.array(z.enum(NOTIFICATION_TOPICS)).min(1)]).meta({
    description: 'What to notify of.',
    allowed: `all, or a list of ${NOTIFICATION_TOPICS.join(', ')}`,
  }),
  libraries: z.union([z.literal('all'), z.array(z.string()).min(1)]).meta({
    description:
      'Libraries whose messages are sent there. Those of the whole service (`worker_missing`) always are.',
    allowed: 'all, or a list of ids of libraries',
  }),
  allow_http: flag('Allows plain http to a compose service, that is a host name without a dot.'),
});

/** The key `notify` of the file. */
export const notifyList = z.array(z.unknown()).max(20).nullable().meta({
  description: 'Where operators are notified of what needs them ([notifications.md](notifications.md)).',
  allowed: 'a list of at most 20 {name, url, format, secret, topics, libraries, allow_http}',
});
