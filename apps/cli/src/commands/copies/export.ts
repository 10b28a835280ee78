import { InvalidArgumentError } from 'commander';
import { type DisclosureReceipt, readDeletions, readReceipts } from '@passport/queue/copies';
import { csvRow } from '@passport/runtime';
import { withQueue } from '../../connect/with-queue.ts';
import { defineCommand, parsed, optional } from '../../program/index.ts';

const COLUMNS = [
  'at',
  'home',
  'lending',
  'home_key',
  'event',
  'fields',
  'what',
  'read',
  'consent',
  'patron_id',
  'override',
] as const;

function parseSince(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError('It is not a date such as 2026-11-25.');
  }
  return text;
}

/** Any other criterion of the command does it, too. */
const SETTLE = 'repeat passport copies delete --expired --apply --at';

type Wanted = Readonly<Record<'at' | 'of' | 'since', string | undefined>>;

const isWanted = ({ at, lending, home }: DisclosureReceipt, wanted: Wanted): boolean =>
  (wanted.at === undefined || lending === wanted.at) &&
  (wanted.of === undefined || home === wanted.of) &&
  (wanted.since === undefined || at >= wanted.since);

const toRow = (receipt: DisclosureReceipt) => ({
  at: receipt.at,
  home: receipt.home,
  lending: receipt.lending,
  home_key: receipt.homeKey,
  event: receipt.eventId,
  fields: receipt.fields,
  what: receipt.what ?? 'disclosed',
  read: receipt.read ?? [],
  consent: receipt.consent ?? null,
  override: receipt.override ?? null,
  patron_id: receipt.patronId ?? null,
  former_key: receipt.formerKey ?? null,
});

/** A consent as one cell: text, member of staff, time; an override: reasons, why, member of staff, time, and until when it holds. */
const textOf = (
  value: string | number | readonly string[] | DisclosureReceipt['consent' | 'override'] | null,
): string | readonly string[] => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && 'because' in value)
    return [...value.reasons, value.because, String(value.operator), value.at, value.until];
  return typeof value === 'object' && 'text_id' in value
    ? [value.text_id, String(value.operator ?? '-'), value.at]
    : value;
};

export const copiesExport = defineCommand({
  summary: 'export the receipts of copies',
  description:
    'Prints one line per disclosed record, per copy that got new values or another home key, was adopted or deleted, or became the own patron of its lending library, and per record that was read for a library which only observes (what): when, from which home library to which lending library, whose record (home key, and number of the copy), and the ' +
    'names of the fields that left (of an observed one, those that were read stand under read), but none of their values. CSV, oldest first, or JSON with --json. Receipts are kept for ' +
    'retention.receipts.',
  examples: [
    'passport copies export > receipts.csv',
    'passport copies export --of midland --since 2026-11-01',
    'passport copies export --at riverside --json',
  ],
  options: {
    at: optional('<library>', 'only copies at this lending library'),
    of: optional('<library>', "only copies of this home library's patrons"),
    since: parsed('<date>', 'only copies made on this day (UTC) or later', parseSince),
  },
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async ({ consortium, redis }): Promise<0> => {
      for (const id of [wanted.at, wanted.of]) {
        // A library that was removed from the file still has receipts, and that is when its list is wanted.
        if (id === undefined || consortium.libraries.some((each) => each.id === id)) continue;
        report.progress(
          `the configuration has no library "${id}": earlier receipts are listed, if there are any`,
        );
      }
      const rows: ReturnType<typeof toRow>[] = [];
      report.data(COLUMNS.join(','));
      for await (const receipt of readReceipts(redis)) {
        if (!isWanted(receipt, wanted)) continue;
        const row = toRow(receipt);
        if (report.isJson) rows.push(row);
        else report.data(csvRow(COLUMNS.map((column) => [textOf(row[column])].flat().join(' '))));
      }
      for (const { id } of consortium.libraries) {
        const { length } = await readDeletions(redis, id);
        if (length > 0) report.progress(`${id}: ${length} deletions without their receipts: ${SETTLE} ${id}`);
      }
      report.json({ receipts: rows });
      return 0;
    }),
});
