import type { NotifiedEndpoint } from '@passport/config';
import type { NotificationFact, NotificationMessage } from '@passport/contract';
import { localTime } from '@passport/runtime';

/** The formats that are posted as JSON. */
export type PostedFormat = Exclude<NotifiedEndpoint['format'], 'email'>;

/** What is posted: the message in the format of the endpoint, as JSON. */
export function bodyOf(format: PostedFormat, message: NotificationMessage): string {
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
  return {
    text: forSlack(
      [`${data.consortium}: ${data.text}`, ...facts, ...linksOf(data).map(([, address]) => address)].join(
        '\n',
      ),
    ),
  };
}

/** A workflow of Teams takes Adaptive Cards, each as an attachment of a message. */
function teamsBody({ data }: NotificationMessage): object {
  const links = linksOf(data);
  const isAddress = ([, value]: Row): boolean => URL.canParse(value);
  const facts = [...factsOf(data.facts), ...links.filter((row) => !isAddress(row))];
  const actions = links.filter(isAddress).map(([title, url]) => ({ type: 'Action.OpenUrl', title, url }));
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
          ...(actions.length === 0 ? {} : { actions }),
        },
      },
    ],
  };
}

type Row = readonly [name: string, value: string];

/** Where to read on, with what it is: the page of the dashboard, and the runbook. */
export function linksOf({ link, runbook }: NotificationMessage['data']): readonly Row[] {
  return [...(link === null ? [] : [['page', link] as const]), ['runbook', runbook] as const];
}

/** The facts of a message as names and texts, times as people here read them; those that are not known are left out. */
export function factsOf(facts: NotificationMessage['data']['facts']): readonly Row[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    const text = textOf(value);
    return text === '' ? [] : [[name.replaceAll('_', ' '), text] as const];
  });
}

const AN_INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

function textOf(value: NotificationFact): string {
  // A name of a Koha may look like a time that there is not.
  const at = typeof value === 'string' && AN_INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at)) return localTime(at);
  if (typeof value !== 'object') return String(value);
  return Object.entries(value ?? {})
    .map(([code, count]) => `${code} ${count}`)
    .join(', ');
}
