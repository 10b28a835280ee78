import { cliConfig } from '@passport/config';
import { amountText } from '@passport/queue/elsewhere';
import { localTime, csvRow } from '@passport/runtime';
import { openAudit } from '../program/open-audit.ts';
import {
  GAP_TEXTS,
  STATE_TEXTS,
  consentsAt,
  overridesAt,
  disclosedAt,
  formerKeysAt,
  lastOf,
  observedAt,
  placeJson,
  receiptCount,
  recordedText,
  refreshedAt,
} from '../places/describe-place.ts';
import {
  type OwedThere,
  type Place,
  type Subject,
  auditedPatron,
  findPlaces,
  isConfigured,
  isUncertain,
} from '../places/find-places.ts';
import { homeIn } from '../places/home-key.ts';
import { withQueue } from '../connect/with-queue.ts';
import { type CliDeps, defineCommand, type Report, optional, WrongUse } from '../program/index.ts';

/** The columns of the CSV, which has a line for each record, or for the place where none is known. */
const COLUMNS: Readonly<
  Record<
    string,
    (place: Place, record: Place['records'][number] | undefined) => string | number | null | undefined
  >
> = {
  home_key: ({ homeKey }) => homeKey,
  lending: ({ lending }) => lending,
  state: ({ state }, record) => record?.kind ?? state,
  patron_id: (_place, record) => record?.patronId,
  enrolled_on: (_place, record) => record?.enrolledOn,
  expires_on: (_place, record) => record?.expiresOn,
  first_disclosed: (place) => disclosedAt(place).first,
  last_disclosed: (place) => disclosedAt(place).last,
  receipts: (place) => disclosedAt(place).receipts,
  fields_disclosed: (place) =>
    [...new Set([...disclosedAt(place).fields, ...refreshedAt(place).fields])].join(' '),
  fields_held: (_place, record) => record?.fields.join(' '),
  last_refreshed: (place) => refreshedAt(place).last,
};

function csvLines(place: Place): string[] {
  const records = place.records.length === 0 ? [undefined] : place.records;
  return records.map((record) =>
    csvRow(Object.values(COLUMNS).map((valueOf) => String(valueOf(place, record) ?? ''))),
  );
}

function subjectOf(patron: string | undefined, library: string | undefined): Subject {
  if (patron !== undefined && library === undefined)
    return { kind: 'patron', homeKey: patron, home: homeIn(patron) };
  if (library !== undefined && patron === undefined) return { kind: 'library', library };
  throw new WrongUse('name either a patron (--patron) or a library (--library)');
}

const owedText = ({ overdues, amount, restricted, readMs }: OwedThere): string =>
  `${overdues} overdue, ${amountText(amount)}${restricted ? ', restricted at home' : ''} (${localTime(readMs)})`;

const when = (iso: string): string => localTime(Date.parse(iso));

function printSent(
  what: string,
  { first, last, receipts, patron_ids, fields }: ReturnType<typeof disclosedAt>,
  line: Report['line'],
): void {
  if (first === null) return;
  const copies = patron_ids.length === 0 ? '' : `, into patron ${patron_ids.join(' and ')}`;
  line(
    `  ${what}  ${when(first)}${last === null || last === first ? '' : ` to ${when(last)}`} (${receiptCount(receipts)})${copies}`,
  );
  line(`  fields     ${fields.join(' ')}`);
}

function printConsents(place: Place, line: Report['line']): void {
  const { given, gap } = consentsAt(place);
  for (const { at, text_id, operator } of given) {
    const who = operator === null ? '' : `, requested by the member of staff with the number ${operator}`;
    line(`  consent    ${when(at)} to the text ${text_id}${who}`);
  }
  if (gap !== null) line(`  consent    ${GAP_TEXTS[gap]}`);
}

function printPatron(places: readonly Place[], homeKey: string, { line, colors }: Report): void {
  line(places.length === 0 ? `${homeKey}: no receipt and no copy` : homeKey);
  for (const place of places) {
    line(`${colors.bold(place.lending)}: ${STATE_TEXTS[place.state]}`);
    printSent('disclosed', disclosedAt(place), line);
    printSent('refreshed', refreshedAt(place), line);
    printConsents(place, line);
    for (const { at, reasons, because, operator, until } of overridesAt(place)) {
      const who = `by the member of staff with the number ${operator}`;
      line(`  overridden ${at} ${reasons.join(' ')}: ${because}, ${who}, until ${until}`);
    }
    const observed = observedAt(place);
    if (observed !== null) {
      line(`  observed   ${when(observed.last)} (${receiptCount(observed.receipts)}), nothing was copied`);
      line(`  read       ${observed.read.join(' ')}`);
      if (observed.fields.length > 0) line(`  searched   ${observed.fields.join(' ')}`);
    }
    for (const what of ['adopted', 'rekeyed', 'deleted', 'released'] as const) {
      const at = lastOf(place, what);
      const before = what === 'rekeyed' ? `, before ${formerKeysAt(place).join(' ')}` : '';
      if (at !== null) line(`  ${what.padEnd(9)}  ${when(at)}${before}`);
    }
    if (place.recorded.length > 0) line(`  on record  ${recordedText(place)}`);
    if (place.owed !== null) line(`  owes       ${owedText(place.owed)}`);
    for (const { patronId, kind, enrolledOn, expiresOn, fields: held } of place.records) {
      line(`  record     patron ${patronId}, ${kind}, since ${enrolledOn ?? '?'}, until ${expiresOn ?? '?'}`);
      line(`  holds      ${held.join(' ')}`);
    }
  }
}

function audit(subject: Subject, places: readonly Place[], deps: CliDeps): void {
  const whose =
    subject.kind === 'patron'
      ? auditedPatron(subject.homeKey, subject.home, places)
      : { library: subject.library };
  const lending = [...new Set(places.map((place) => place.lending))];
  openAudit(deps, 'export', 'export by an operator')({ ...whose, lending, places: places.length });
}

export const exportData = defineCommand({
  summary: "list where a patron's or a library's data are",
  description:
    'Lists every lending library with data of a patron (--patron) or of the patrons of a library, and of others at that library ' +
    '(--library): what was disclosed and when, by the receipts, to what the patron has consented and when, which record with which fields its Koha holds now, and for a patron what they owe there as it was read last. Fields are ' +
    'listed by name, without their values. Reads from the Kohas, writes nothing, and is recorded in the audit log. Prints text for ' +
    'a patron, CSV for a library, or JSON. The exit code is 1 if a lending library could not be read, or the configuration does not have the library, so that the list may lack something.',
  examples: [
    'passport export --patron midland:812',
    'passport export --patron midland:812 --json',
    'passport export --library midland > midland.csv',
  ],
  options: {
    patron: optional('<home key>', "the home library's id and the number of the patron in its Koha"),
    library: optional('<library>', 'all patrons of this library, and all copies at it'),
  },
  run: (wanted, _args, report, deps) => {
    const subject = subjectOf(wanted.patron, wanted.library);
    const { consortium } = cliConfig(deps.env, deps.readFile, ['koha']);
    return withQueue(deps, async ({ redis }): Promise<0 | 1> => {
      const home = subject.kind === 'patron' ? subject.home : subject.library;
      const isKnown = isConfigured(home, consortium, report);
      const places = await findPlaces(subject, consortium, redis, deps);
      audit(subject, places, deps);
      report.json({ ...wanted, places: places.map(placeJson) });
      if (subject.kind === 'patron') printPatron(places, subject.homeKey, report);
      else for (const row of [csvRow(Object.keys(COLUMNS)), ...places.flatMap(csvLines)]) report.data(row);
      return !isKnown || places.some(isUncertain) ? 1 : 0;
    });
  },
});
