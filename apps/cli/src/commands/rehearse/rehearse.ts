import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { type Consortium, type Library, rehearsalConfig } from '@passport/config';
import type { SipAccess } from '@passport/koha-client';
import { decideCandidates, isOwnCard, passesCategoryFilter } from '@passport/patron-rules';
import { buildReceiverClient } from '../../connect/receiver-client.ts';
import { type OpenQueue, withQueueOf } from '../../connect/with-queue.ts';
import { openAudit } from '../../program/open-audit.ts';
import {
  choices,
  type CliDeps,
  defineCommand,
  durationOf,
  Failure,
  findLibrary,
  flag,
  optional,
  type OptionValues,
  parsed,
  parsedOr,
  readLines,
  type Report,
  required,
  WrongUse,
} from '../../program/index.ts';
import { openCopyEnds } from '../copies/copy-ends.ts';
import { parseUrl } from '../send.ts';
import { type CleanedUp, cleanUp, WILL_MAKE } from './clean-up.ts';
import { collectAnswers, compareAnswers, releaseFor, unpackAnswers } from './compare-answers.ts';
import { printRehearsal } from './describe-rehearsal.ts';
import { EXPECTED_ANSWERS } from './expected-answers.ts';
import { type Journal, openJournal } from './journal.ts';
import { kioskOf, parseSipPlace, parseSipValue } from './kiosk.ts';
import { renderPage } from './rehearsal-page.ts';
import { isGood, type Rehearsal, timesOf } from './result.ts';
import { runScenarios } from './run-scenarios.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { MARK, openSite, type SeenAnswer, type Side, type Site } from './site.ts';
import { buildStage } from './stage.ts';
import { describeFailure } from './trial.ts';

const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const RUN_LETTERS = 7;
const ITEMS = 8;

const sleep = (ms: number): Promise<void> => wait(ms);

function parseCardFormat(text: string): string {
  if (/^[\w.#-]{4,32}$/.test(text) && (text.match(/#/g) ?? []).length >= 3) return text;
  throw new InvalidArgumentError(
    'It has 4 to 32 characters, at least three of them #, which stand for digits.',
  );
}

const OPTIONS = {
  at: required('<library>', 'the lending library'),
  home: optional('<library>', 'the home library; without one only what needs none is rehearsed'),
  secondHome: optional('<library>', 'another home library, for a card that two have'),
  branch: optional('<code>', 'the branch to make things at; default: the fixed one of copies, or the first'),
  itemType: parsedOr('<code>', 'the item type of what is lent', String, ['BK']),
  cardFormat: parsed(
    '<format>',
    'what the cards look like, # for a digit; needed where the home library has card patterns',
    parseCardFormat,
  ),
  sip: parsed('<host:port>', "the lending library's SIP server, to be a self-check at", parseSipPlace),
  sipUser: parsed(
    '<user>',
    'the user of a SIP account there; its password is PASSPORT_SIP_PASSWORD',
    parseSipValue,
  ),
  sipInstitution: parsed('<id>', "that account's institution; default: the branch", parseSipValue),
  only: choices(
    '<scenario...>',
    'only these scenarios',
    SCENARIOS.map(({ id }) => id),
  ),
  for: parsedOr('<duration>', 'how long one scan may take', durationOf, [60_000, '1m']),
  receiver: parsed(
    '<url>',
    'the receiver; default: PASSPORT_RECEIVER, or public.receiver of the configuration, or http://127.0.0.1:8080',
    parseUrl,
  ),
  confirm: optional('<libraries>', 'the ids of the libraries, as they would be typed to confirm'),
  clean: flag('only remove what an earlier rehearsal has left'),
  page: optional('<file>', 'also write the report as a web page that can be sent'),
};
type Options = OptionValues<typeof OPTIONS>;

/** The libraries of a rehearsal, each once. */
type Cast = readonly { readonly side: Side; readonly library: Library }[];

/** Who takes part. Throws WrongUse where a library cannot. */
function castOf(consortium: Consortium, { at, home, secondHome }: Options): Cast {
  const named = [
    ['lending', at],
    ['home', home],
    ['second_home', secondHome],
  ] as const;
  const cast = named.flatMap(([side, id]) =>
    id === undefined ? [] : [{ side, library: findLibrary(consortium, id) }],
  );
  if (new Set(cast.map(({ library }) => library.id)).size < cast.length)
    throw new WrongUse('--at, --home and --second-home must be different libraries');
  const { copy, id } = findLibrary(consortium, at);
  if (copy.category === null) throw new WrongUse(`${id} has no copy.category: it is no lending library`);
  if (copy.mode === 'observe')
    throw new WrongUse(`${id} only observes (copy.mode): nothing could be rehearsed there`);
  return cast;
}

/** Whether the configuration lets a patron with these cards be copied. Throws WrongUse with what is in the way. */
function checkAgreement(consortium: Consortium, cast: Cast, card: string): void {
  const [lending, home] = cast.map(({ library }) => library);
  if (lending === undefined || home === undefined) return;
  if (home.cards.length > 0 && !isOwnCard(consortium, home, card))
    throw new WrongUse(
      `the cards would not be ${home.id}'s (its key cards): give a --card-format such as 21234#########`,
    );
  const candidate = decideCandidates(consortium, lending.id, card).find((each) => each.home === home);
  if (candidate === undefined)
    throw new WrongUse(
      `${home.id} has no agreement towards ${lending.id}, is not enabled, or its cards do not fit --card-format`,
    );
  const filters = [home.share.categories, candidate.agreement.categories];
  if (filters.some((filter) => passesCategoryFilter(filter, MARK) !== true))
    throw new WrongUse(
      `the category ${MARK} is left out by share.categories of ${home.id}, or by the agreement: let it in`,
    );
}

/** Card numbers of a format, none of them twice. */
function cardMaker(format: string, randomBytes: CliDeps['randomBytes']): () => string {
  const digits = (format.match(/#/g) ?? []).length;
  const most = 10 ** Math.min(digits, 9);
  let next = randomBytes(4).readUInt32BE() % most;
  return () => {
    next = (next + 1) % most;
    const number = String(next).padStart(digits, '0');
    let at = 0;
    return format.replaceAll('#', () => number[at++] ?? '0');
  };
}

const newRun = (randomBytes: CliDeps['randomBytes']): string =>
  Array.from(randomBytes(RUN_LETTERS), (byte) => LETTERS[byte % LETTERS.length]).join('');

/** Shows what will be made where, and has it confirmed. Throws WrongUse, Failure. */
async function confirm(
  sites: readonly Site[],
  sip: SipAccess | null,
  options: Options,
  report: Report,
  deps: CliDeps,
): Promise<void> {
  const wanted = sites.map(({ library }) => library.id).join(' ');
  report.progress('This rehearsal makes, and removes again at its end:');
  for (const what of WILL_MAKE) report.progress(`  ${what}`);
  for (const { side, library, branch, kohaVersion, patrons } of sites)
    report.progress(
      `${side} ${library.id} at ${new URL(library.koha.url).host}, branch ${branch}: Koha ${kohaVersion ?? 'unknown'}, ${patrons ?? 'an unknown number of'} patrons`,
    );
  if (sip !== null)
    report.progress(
      `self-check at ${sip.host}:${sip.port}, user ${sip.user}, institution ${sip.institution}`,
    );
  const typed = options.confirm ?? (await readLines(deps, [`type "${wanted}" to begin`]))[0];
  if (typed?.trim() !== wanted)
    throw new WrongUse(`not confirmed: nothing was made. --confirm "${wanted}" confirms it`);
}

/** What one run works with, once its Kohas are open. */
interface Run {
  readonly sites: readonly Site[];
  readonly open: OpenQueue;
  readonly journal: Journal;
  readonly receiverOf: (library: string) => ReturnType<typeof buildReceiverClient>;
  readonly answers: SeenAnswer[];
  readonly callMs: number[];
}

const NOTHING: CleanedUp = { removed: 0, leftAlone: [], stuck: [] };

/** Removes what the journal says. What could not be removed stays in it. */
async function clean({ sites, open, journal, receiverOf }: Run, deps: CliDeps): Promise<CleanedUp> {
  const entries = await journal.read();
  if (entries.length === 0) return NOTHING;
  const known = new Set(sites.map(({ library }) => library.id));
  const missing = entries
    .flatMap((entry) => (entry.kind === 'run' ? entry.libraries : []))
    .filter((id) => !known.has(id));
  if (missing.length > 0)
    throw new Failure(
      `an earlier rehearsal has left things at ${[...new Set(missing)].join(' and ')}: name the same libraries once more`,
      { code: 'other_libraries' },
    );
  const cleaned = await cleanUp(entries, { sites, open, receiverOf, deps, sleep }).catch((error: unknown) => {
    const why = describeFailure(error);
    if (why === null) throw error;
    return { ...NOTHING, stuck: [why] };
  });
  if (cleaned.stuck.length === 0) await journal.clear();
  return cleaned;
}

/** Rehearses, and removes what it made; a failure leaves that to the next start. */
async function rehearseAt(
  run: Run,
  id: string,
  { options, newCard, sip }: { options: Options; newCard: () => string; sip: SipAccess | null },
  deps: CliDeps,
): Promise<Rehearsal> {
  const { sites, open, journal, receiverOf, answers, callMs } = run;
  const siteOf = (side: Side): Site | null => sites.find((site) => site.side === side) ?? null;
  const lending = siteOf('lending');
  if (lending === null) throw new RangeError('a rehearsal has a lending library');
  const at = new Date(deps.now()).toISOString();
  const libraries = sites.map(({ library }) => library.id);
  await journal.note({ kind: 'run', run: id, at, libraries });
  const stage = buildStage({
    run: id,
    open,
    consortium: open.consortium,
    lending,
    home: siteOf('home'),
    secondHome: siteOf('second_home'),
    receiver: receiverOf(lending.library.id),
    journal,
    ends: openCopyEnds(open, lending.library, deps),
    itemType: options.itemType,
    newCard,
    sip,
    onAnswer: (answer) => void answers.push(answer),
    forMs: options.for,
    deps,
  });
  const wanted = SCENARIOS.filter((scenario) => options.only?.includes(scenario.id) ?? true);
  const ran = await runScenarios(wanted, stage, { answers, items: ITEMS, signal: deps.signal });
  const cleaned = await clean(run, deps);
  const expected = unpackAnswers(EXPECTED_ANSWERS);
  const rehearsed = sites.map((site) => {
    const { release, isOwn } = releaseFor(site.kohaVersion, expected);
    const { side, library, kohaVersion: koha, pluginVersion: plugin } = site;
    return { side, library: library.id, koha, plugin, comparedWith: release, isOwnRelease: isOwn };
  });
  const named = [
    `--at ${options.at}`,
    ...(options.home === undefined ? [] : [`--home ${options.home}`]),
    ...(options.secondHome === undefined ? [] : [`--second-home ${options.secondHome}`]),
    ...(options.cardFormat === undefined ? [] : [`--card-format '${options.cardFormat}'`]),
    // The report is sent to others: where the server is, and who its client is, stays here.
    ...(sip === null ? [] : ['--sip HOST:PORT --sip-user USER']),
  ];
  const failed = ran.results.filter(
    ({ result, id: scenario }) => result === 'differs' && scenario !== 'set_up',
  );
  const only = failed.length === 0 ? '' : ` --only ${failed.map((each) => each.id).join(' ')}`;
  return {
    version: deps.version,
    at,
    run: id,
    sites: rehearsed,
    scenarios: ran.results,
    answers: rehearsed.flatMap(({ side, comparedWith }) =>
      compareAnswers(ran.answered, side, expected[comparedWith]),
    ),
    times: { scans: timesOf(ran.results.flatMap(({ scanMs }) => scanMs)), calls: timesOf(callMs) },
    cleanUp: cleaned,
    command: `passport rehearse ${named.join(' ')}${only}`,
    answered: collectAnswers(ran.answered),
  };
}

/** Opens the Kohas for one piece of work, and closes them. */
async function withSites<T>(
  cast: Cast,
  options: Options,
  watch: Pick<Run, 'answers' | 'callMs'>,
  deps: CliDeps,
  work: (sites: readonly Site[]) => Promise<T>,
): Promise<T> {
  const sites: Site[] = [];
  try {
    for (const part of cast) {
      const wantedBranch = part.side === 'lending' ? (options.branch ?? null) : null;
      const onAnswer = (answer: SeenAnswer): void => void watch.answers.push(answer);
      const onCall = (ms: number): void => void watch.callMs.push(ms);
      sites.push(await openSite(part, { wantedBranch, onAnswer, onCall }, deps));
    }
    return await work(sites);
  } finally {
    for (const { koha } of sites) koha.close();
  }
}

function printCleaned({ removed, leftAlone, stuck }: CleanedUp, { progress }: Report): void {
  if (removed > 0 || stuck.length > 0)
    progress(`an earlier rehearsal had left something: ${removed} removed`);
  for (const left of leftAlone) progress(`left alone, since it is not certainly of a rehearsal: ${left}`);
  for (const left of stuck) progress(`could not be removed: ${left}`);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';

function textOrNone(path: string, readFile: CliDeps['readFile']): string {
  try {
    return readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** A rehearsal is long, and its page is written last. What is there stays until then. Throws Failure. */
function checkPage(path: string, { env, readFile, writeFile }: CliDeps): void {
  try {
    writeFile(path, textOrNone(path, readFile));
  } catch (error) {
    const where =
      env['PASSPORT_INSTALL'] === 'compose'
        ? ': in the container, files are kept below /etc/passport, which is deploy/etc'
        : '';
    throw new Failure(`--page: ${path} cannot be written (${codeOf(error)})${where}`, { code: 'files' });
  }
}

export const rehearse = defineCommand({
  summary: 'try an installation out on Kohas that are there for trying',
  description:
    'The acceptance test of an installation. It makes patrons and items of its own at one lending library and its home libraries, ' +
    'sends real scans through the running service, checks in Koha what came of each, compares how the Kohas answer with how the ' +
    `stand-in of the tests does, and removes what it made. It is for Kohas that nobody works with: each must have a patron category ${MARK}, and ` +
    'the libraries are typed to confirm. What an interrupted rehearsal has left, the next one removes first. Exit code 1 where something differs.',
  examples: [
    'passport rehearse --at riverside --home midland',
    `passport rehearse --at riverside --home midland --card-format '21234#########' --page rehearsal.html`,
    'passport rehearse --at riverside --home midland --only copy checkout --confirm "riverside midland" --json',
    'passport rehearse --at riverside --home midland --clean',
  ],
  options: OPTIONS,
  run: async (options, _args, report, deps): Promise<0 | 1> => {
    const service = rehearsalConfig(deps.env, deps.readFile);
    const { consortium, redisUrl } = service;
    if (redisUrl === null) throw new WrongUse('REDIS_URL is not set: a rehearsal keeps its journal there');
    const cast = castOf(consortium, options);
    const kioskAt = kioskOf(options, service.sipPassword?.reveal() ?? null);
    const id = newRun(deps.randomBytes);
    const newCard = cardMaker(options.cardFormat ?? `PPR${id}###`, deps.randomBytes);
    if (options.clean !== true) checkAgreement(consortium, cast, newCard());
    const receiverUrl = options.receiver ?? service.receiverUrl;
    // An interrupted rehearsal still has to end its scans.
    const unbroken = { ...deps, signal: new AbortController().signal };
    const receiverOf = (library: string) =>
      buildReceiverClient(receiverUrl, findLibrary(consortium, library), unbroken);
    receiverOf(options.at);
    if (options.page !== undefined) checkPage(options.page, deps);
    deps.endsItself?.();
    const watch = { answers: [] as SeenAnswer[], callMs: [] as number[] };
    return withQueueOf({ ...service, redisUrl }, async (open) => {
      const journal = await openJournal(open.redis, `${id}-${deps.newId()}`, sleep);
      try {
        return await withSites(cast, options, watch, deps, async (sites) => {
          const run: Run = { sites, open, journal, receiverOf, ...watch };
          const sip = kioskAt?.(sites[0]?.branch ?? '') ?? null;
          const cleaned = await clean(run, deps);
          printCleaned(cleaned, report);
          if (cleaned.stuck.length > 0)
            throw new Failure('remove by hand what could not be removed, and repeat the command', {
              code: 'stuck',
            });
          if (options.clean === true) {
            report.line(`${cleaned.removed} removed`);
            report.json(cleaned);
            return 0;
          }
          await confirm(sites, sip, options, report, deps);
          const audit = openAudit(deps, 'rehearse', 'rehearsal begun');
          audit({
            lending: options.at,
            home: cast.slice(1).map(({ library }) => library.id),
          });
          const rehearsal = await rehearseAt(run, id, { options, newCard, sip }, deps);
          printRehearsal(rehearsal, report);
          report.json({ ok: isGood(rehearsal), ...rehearsal });
          if (options.page !== undefined) deps.writeFile(options.page, renderPage(rehearsal));
          return isGood(rehearsal) ? 0 : 1;
        });
      } finally {
        await journal.close();
      }
    });
  },
});
