import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  NOTIFICATION_TOPICS,
  NOTIFICATION_TYPES,
  parseWebhookSecret,
  signDelivery,
} from '@passport/contract';
import { SECRET, library } from './notify-fixture.ts';
import { messageOf } from '../src/message.ts';

/** Holds docs/notifications.md against what is sent. */
const HERE = new URL('.', import.meta.url).pathname;
let page: string;
let dir: string;
beforeAll(async () => {
  page = await readFile(join(HERE, '../../../docs/notifications.md'), 'utf8');
  dir = await mkdtemp(join(HERE, '.documented-'));
});
afterAll(() => rm(dir, { recursive: true }));

const blockOf = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n(.*?)\n\`\`\``, 's').exec(page)?.[1] ?? '';

test('the example is a message, key by key', () => {
  const name = 'Prairie Libraries';
  const dashboard = 'https://passport.example.org/dashboard';
  const away = { ...library('midland', true), type: 'library.away' } as const;
  const sent = messageOf(away, { name, libraries: [], public: { receiver: null, dashboard } }, 0);
  const shown = JSON.parse(blockOf('json')) as typeof sent;
  expect(Object.keys(shown)).toEqual(Object.keys(sent));
  expect(Object.keys(shown.data)).toEqual(Object.keys(sent.data));
  expect(shown).toMatchObject({
    type: sent.type,
    data: { consortium: name, link: sent.data.link, runbook: sent.data.runbook },
  });
});

test('every topic and type is in the table', () => {
  const table = page.slice(page.indexOf('## Topics'), page.indexOf('## The format'));
  for (const topic of NOTIFICATION_TOPICS) expect(table).toContain(`\`${topic}\``);
  for (const type of Object.keys(NOTIFICATION_TYPES)) expect(table).toContain(`\`${type}\``);
});

test('the snippet verifies a message, and none that somebody else has written', async () => {
  const file = join(dir, 'read-notification.mjs');
  await writeFile(file, blockOf('js'));
  const { readNotification } = (await import(file)) as {
    readNotification: (body: string, headers: object, secret: string) => unknown;
  };
  const body = Buffer.from(blockOf('json'));
  const timestamp = Math.floor(Date.now() / 1000);
  const headers = signDelivery({ secrets: [parseWebhookSecret(SECRET)], id: 'notice_1', timestamp, body });
  expect(readNotification(body.toString(), headers, SECRET)).toEqual({
    id: 'notice_1',
    type: 'library.away',
    library: 'midland',
    text: 'Midland City Library does not answer (timeout). Scans that need it wait.',
  });
  expect(() => readNotification(`${body.toString()} `, headers, SECRET)).toThrow(/signature/i);
});
