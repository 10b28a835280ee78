import { csvRow, withLocalTime } from '@passport/runtime';
import type { ListedAct } from './find-acts.ts';

const COLUMNS = ['at', 'act', 'by', 'source', 'libraries', 'homes', 'event', 'result', 'count', 'details'];

/** An act as JSON has it, in the dashboard and in the command. */
export const actJson = ({ id: _place, atMs, ...act }: ListedAct) => ({
  at: new Date(atMs).toISOString(),
  ...act,
});

type Details = Pick<ListedAct, 'details'>;

const textOf = ({ details }: Details, valueText: (value: unknown) => string): string =>
  Object.entries(details)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');

/** What else is said of an act, in one line for a person: with times where the service is. */
export const detailsText = (act: Details): string => textOf(act, (value) => withLocalTime(String(value)));

/** Acts as CSV, with a header. */
export function actsCsv(acts: readonly ListedAct[]): string[] {
  const rows = acts.map((act) => {
    const { at, by, libraries, homes, event, result, count, source } = actJson(act);
    return [
      at,
      act.act,
      by ?? '',
      source,
      libraries.join(' '),
      homes.join(' '),
      event ?? '',
      result ?? '',
      String(count),
      textOf(act, String),
    ];
  });
  return [COLUMNS, ...rows].map(csvRow);
}
