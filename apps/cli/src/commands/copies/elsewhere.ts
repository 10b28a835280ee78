import { parsePatronNumber } from '@passport/contract';
import {
  type CopyElsewhere,
  amountText,
  elsewhereCsv,
  elsewhereTotals,
  readPatronElsewhere,
  readPatronsElsewhere,
} from '@passport/queue/elsewhere';
import { InvalidArgumentError } from 'commander';
import { withQueue } from '../../connect/with-queue.ts';
import {
  localDay,
  defineCommand,
  findLibrary,
  flag,
  optional,
  parsed,
  type Report,
  required,
} from '../../program/index.ts';
import { openAudit } from '../../program/open-audit.ts';

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const toJson = ({ patronId, lending, sinceMs, passedMs, fields, isAgreed, owed }: CopyElsewhere) => ({
  patron_id: patronId,
  lending,
  since: isoOf(sinceMs),
  last_passed_on: isoOf(passedMs),
  fields,
  agreed: isAgreed,
  owed:
    owed === null
      ? null
      : { overdues: owed.overdues, amount: amountText(owed.amount), read_at: isoOf(owed.readMs) },
});

const HEADER = ['patron', 'lending', 'since', 'last passed on', 'overdue', 'amount', 'fields'];

function printTable(copies: readonly CopyElsewhere[], { line, table }: Report): void {
  const day = (ms: number | null): string => (ms === null ? '-' : localDay(ms));
  const rows = copies.map(({ patronId, lending, sinceMs, passedMs, fields, owed }) => [
    String(patronId),
    lending,
    day(sinceMs),
    day(passedMs),
    owed === null ? '-' : String(owed.overdues),
    owed === null ? '-' : amountText(owed.amount),
    fields.join(' '),
  ]);
  if (rows.length === 0) return line('no copies are on record');
  table(HEADER, rows, [0, 4, 5]);
  for (const { lending, copies: count, overdues, amount } of elsewhereTotals(copies)) {
    line(
      `${lending}: ${count} ${count === 1 ? 'copy' : 'copies'}, ${overdues} overdue, ${amountText(amount)}`,
    );
  }
}

function parsePatron(text: string): number {
  const number = parsePatronNumber(text);
  if (number === null) throw new InvalidArgumentError("It is not a patron's number such as 812.");
  return number;
}

export const copiesElsewhere = defineCommand({
  summary: "list where a home library's patrons have copies, and which fields went there",
  description:
    "Lists the copies of a home library's patrons that the service has on record: by patron number at home, the lending library, since when, " +
    'which fields went there and when last, and what is overdue and owed there as it was read last (- where the lending library does not ' +
    'say), with the totals. Copies that are not on record are not listed. It is recorded in the audit log.',
  examples: [
    'passport copies elsewhere --of midland',
    'passport copies elsewhere --of midland --patron 812 --json',
    'passport copies elsewhere --of midland --at riverside --owing --csv > owing.csv',
  ],
  options: {
    of: required('<library>', 'the home library'),
    at: optional('<library>', 'only at this lending library'),
    patron: parsed('<number>', 'only this patron, by the number at home', parsePatron),
    owing: flag('only where something is overdue or owed'),
    csv: flag('print CSV instead of a table', ['json']),
  },
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async ({ consortium, redis }): Promise<0> => {
      const { of: home, at, patron } = wanted;
      findLibrary(consortium, home);
      if (at !== undefined) findLibrary(consortium, at);
      const lenders = at === undefined ? consortium.libraries.map(({ id }) => id) : [at];
      const audited = openAudit(deps, 'copies_elsewhere', 'where patrons have copies, for an operator');
      const all =
        patron === undefined
          ? await readPatronsElsewhere(redis, home, lenders)
          : await readPatronElsewhere(redis, { home, patronId: patron }, lenders);
      // A patron without a copy may be a card, typed by mistake.
      const whose = patron === undefined || all.length === 0 ? {} : { home_key: `${home}:${patron}` };
      audited({ home, ...whose, lending: [...new Set(all.map(({ lending }) => lending))] });
      const owes = ({ owed }: CopyElsewhere): boolean => (owed?.overdues ?? 0) > 0 || (owed?.amount ?? 0) > 0;
      const copies = wanted.owing === true ? all.filter(owes) : all;
      report.json({
        home,
        copies: copies.map(toJson),
        totals: elsewhereTotals(copies).map((each) => ({ ...each, amount: amountText(each.amount) })),
      });
      if (wanted.csv === true) for (const line of elsewhereCsv(copies)) report.data(line);
      else printTable(copies, report);
      return 0;
    }),
});
