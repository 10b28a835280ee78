import type { NotifiedEndpoint } from '@passport/config';
import type { NotificationFact, NotificationMessage } from '@passport/contract';

/** What is posted: the message in the format of the endpoint, as JSON. */
export function bodyOf(format: NotifiedEndpoint['format'], message: NotificationMessage): string {
  switch (format) {
    case 'standard':
      return JSON.stringify(message);
    case 'slack':
      return JSON.stringify(slackBody(message));
    case 'teams':
      return JSON.stringify(teamsBody(message));
    default:
      return format satisfies never;
  }
}

/** Slack reads these three as its own marks. */
const forSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function slackBody({ data }: NotificationMessage): object {
  const facts = factsOf(data.facts).map(([name, value]) => `${name}: ${value}`);
  return { text: forSlack([`${data.consortium}: ${data.text}`, ...facts, data.runbook].join('\n')) };
}

/** A workflow of Teams takes Adaptive Cards, each as an attachment of a message. */
function teamsBody({ data }: NotificationMessage): object {
  const facts = [...factsOf(data.facts), ['runbook', data.runbook] as const];
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.2',
          body: [
            { type: 'TextBlock', text: data.consortium, weight: 'Bolder', wrap: true },
            { type: 'TextBlock', text: data.text, wrap: true },
            { type: 'FactSet', facts: facts.map(([title, value]) => ({ title, value })) },
          ],
        },
      },
    ],
  };
}

function factsOf(facts: NotificationMessage['data']['facts']): (readonly [string, string])[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    const text = textOf(value);
    return text === '' ? [] : [[name.replaceAll('_', ' '), text] as const];
  });
}

function textOf(value: NotificationFact): string {
  if (typeof value !== 'object') return String(value);
  return Object.entries(value ?? {})
    .map(([code, count]) => `${code} ${count}`)
    .join(', ');
}
