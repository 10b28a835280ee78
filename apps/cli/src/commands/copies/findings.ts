import { localTime } from '@passport/runtime';
import { loadConsortium } from '@passport/config';
import {
  OPEN_FINDINGS,
  OPERATOR_PAGES,
  commandsFor,
  operatorLink,
  parsePatronNumber,
  patronPage,
} from '@passport/contract';
import { keepFindings } from '@passport/queue/copies';
import { type WorkItem, type Worklist, readWorklist } from '@passport/queue/sweeps';
import { withQueue } from '../../connect/with-queue.ts';
import { printLink } from '../doctor/finding-links.ts';
import { openAudit } from '../../program/open-audit.ts';
import {
  localDay,
  alignRows,
  defineCommand,
  findLibrary,
  flag,
  option,
  type Report,
  required,
  WrongUse,
} from '../../program/index.ts';

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** The library whose copies these are, with the address that its patrons' pages are at. */
interface At {
  readonly lending: string;
  readonly staffUrl: string | null;
}

const toJson = (
  { lending, staffUrl }: At,
  { patronId, homeKey, finding, sinceMs, isNew, isKept }: WorkItem,
) => ({
  patron_id: patronId,
  home_key: homeKey,
  finding,
  since: isoOf(sinceMs),
  new: isNew,
  kept: isKept,
  says: OPEN_FINDINGS[finding].says,
  advice: OPEN_FINDINGS[finding].advice,
  commands: commandsFor(finding, { lending, patronId, homeKey }),
  url: staffUrl === null ? null : patronPage(staffUrl, patronId),
});

/** By finding: what it means, and the copies that have it, each with the commands that fit. */
function printItems(at: At, items: readonly WorkItem[], { line, colors }: Report): void {
  const { lending, staffUrl } = at;
  for (const finding of new Set(items.map((item) => item.finding))) {
    const copies = items.filter((item) => item.finding === finding);
    const { says, advice } = OPEN_FINDINGS[finding];
    line(`${colors.bold(finding)} ${copies.length}: ${says}`);
    line(`  to do: ${advice}`);
    const rows = copies.map(({ patronId, homeKey, sinceMs, isNew, isKept }) => [
      `  ${isNew ? 'new' : isKept ? 'kept' : ''}`,
      String(patronId),
      homeKey,
      localDay(sinceMs),
      staffUrl === null ? '' : patronPage(staffUrl, patronId),
    ]);
    for (const row of alignRows(rows)) line(row);
    const [first] = copies;
    for (const command of first === undefined ? [] : commandsFor(finding, { lending, ...first }))
      line(`  ${colors.dim(`$ ${command}`)}`);
  }
}

/** `402`, any number of them. */
function parseNumber(given: string, before: readonly number[] = []): readonly number[] {
  const number = parsePatronNumber(given);
  if (number === null) throw new WrongUse('--keep must have patron numbers such as 402');
  return [...before, number];
}

const sweptText = ({ sweptMs }: Worklist): string =>
  sweptMs === null ? 'no sweep has ended yet' : `by the sweep of ${localTime(sweptMs)}`;

export const copiesFindings = defineCommand({
  summary: 'list the copies at a lending library that somebody has to look at',
  description:
    "Lists what the sweeps, and the scans of copies, have found at a lending library and left open: the copy's patron number there, its " +
    'home key, what it means, what to do, and the commands for it, which plan first. What is handled disappears: at once where a command ' +
    'of this service does it, otherwise with the next sweep. `new` is what the last sweep has found first. With --keep, what is found of ' +
    'these copies now is to stay as it is, and leaves the list until something else is found of them. The output contains no name and no ' +
    'card. The exit code is 1 while something is open.',
  examples: [
    'passport copies findings --at riverside',
    "passport copies findings --at riverside --json | jq '.findings[] | select(.new)'",
    'passport copies findings --at riverside --keep 402 405',
  ],
  options: {
    at: required('<library>', 'the lending library'),
    keep: option<readonly number[] | undefined>(
      '<patron...>',
      'patron numbers of copies that shall stay as they are',
      (made) => made.argParser(parseNumber),
    ),
    kept: flag('those that are kept as they are, too'),
  },
  run: ({ at, keep = [], kept = false }, _args, report, deps): Promise<0 | 1> => {
    const consortium = loadConsortium(deps.env, deps.readFile);
    const { koha } = findLibrary(consortium, at);
    return withQueue(deps, async ({ redis }): Promise<0 | 1> => {
      const audit = openAudit(deps, 'copies_findings', 'findings of copies, for an operator');
      const done = await keepFindings(redis, at, keep);
      for (const patronId of done) audit({ lending: at, patron_id: patronId, result: 'kept' });
      for (const id of keep.filter((each) => !done.includes(each)))
        report.progress(`nothing is open of patron ${id}`);
      const list = await readWorklist(redis, at);
      const shown = kept ? [...list.items, ...list.kept] : list.items;
      if (keep.length === 0) audit({ lending: at, copies: shown.length, result: 'listed' });
      const place = { lending: at, staffUrl: koha.staffUrl };
      printItems(place, shown, report);
      const isOpen = shown.length > 0;
      const link = isOpen ? operatorLink(consortium.public.dashboard, OPERATOR_PAGES.findings(at)) : null;
      if (!isOpen) report.line('nothing is open');
      printLink(link, report);
      report.progress(`${at}: ${sweptText(list)}; ${list.kept.length} kept as they are`);
      for (const home of list.unread)
        report.progress(
          `${home}: did not answer, or hides its patrons: the list may lack some of its copies`,
        );
      report.json({
        library: at,
        swept_at: list.sweptMs === null ? null : isoOf(list.sweptMs),
        kept: list.kept.length,
        unread: list.unread,
        findings: shown.map((item) => toJson(place, item)),
        link,
      });
      return list.items.length === 0 ? 0 : 1;
    });
  },
});
