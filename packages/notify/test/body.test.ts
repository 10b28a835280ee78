import { expect, test } from '@jest/globals';
import type { NotificationMessage } from '@passport/contract';
import { bodyOf } from '../src/body.ts';

const message: NotificationMessage = {
  type: 'sweep.finished',
  timestamp: '2026-11-25T12:00:00.000Z',
  data: {
    consortium: 'Prairie <Libraries>',
    library: { id: 'midland', name: 'Midland & District' },
    text: 'Midland & District has had its copies compared.',
    link: null,
    runbook: 'docs/runbook.md#read-the-reports-of-sweeps',
    facts: { started: '2026-11-25T11:58:00.000Z', copies: 80, ended: null, findings: { moved: 4, gone: 1 } },
  },
};
const body = (format: 'standard' | 'slack' | 'teams'): unknown => JSON.parse(bodyOf(format, message));

test('the standard format is the message itself', () => {
  expect(body('standard')).toEqual(message);
});

test('Slack gets a text in which nothing is a mark of its own', () => {
  expect(body('slack')).toEqual({
    text: [
      'Prairie &lt;Libraries&gt;: Midland &amp; District has had its copies compared.',
      'started: 2026-11-25 11:58:00 UTC',
      'copies: 80',
      'findings: moved 4, gone 1',
      'docs/runbook.md#read-the-reports-of-sweeps',
    ].join('\n'),
  });
});

test('Teams gets an Adaptive Card, as the attachment of a message', () => {
  expect(body('teams')).toEqual({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: expect.objectContaining({
          type: 'AdaptiveCard',
          version: '1.2',
          body: [
            expect.objectContaining({ type: 'TextBlock', text: 'Prairie <Libraries>' }),
            expect.objectContaining({ type: 'TextBlock', text: message.data.text, wrap: true }),
            {
              type: 'FactSet',
              facts: [
                { title: 'started', value: '2026-11-25 11:58:00 UTC' },
                { title: 'copies', value: '80' },
                { title: 'findings', value: 'moved 4, gone 1' },
                { title: 'runbook', value: 'docs/runbook.md#read-the-reports-of-sweeps' },
              ],
            },
          ],
        }),
      },
    ],
  });
});

test('a name that looks like a time that there is not is said as it is', () => {
  const facts = { name: '2026-99-99T99:99Z' };
  const { text } = JSON.parse(bodyOf('slack', { ...message, data: { ...message.data, facts } })) as {
    text: string;
  };
  expect(text).toContain('name: 2026-99-99T99:99Z');
});
