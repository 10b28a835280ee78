import {
  type Consortium,
  type DoctorConfig,
  type Library,
  configWarnings,
  doctorConfig,
} from '@passport/config';
import type { PluginAbout } from '@passport/koha-client';
import { runProbe } from './probe.ts';
import {
  type Examined,
  type Finding,
  FINDING_CODES,
  type PluginReports,
  checkClosedMap,
  checkTwins,
  collect,
  examineLibrary,
  examineeOf,
  isOfUnknownLibrary,
  unchecked,
  warning,
  withoutIntended,
} from '@passport/set-up';
import { examineeDeps } from './examinee-deps.ts';
import { libraryLink, printLink, serviceLink } from './finding-links.ts';
import { printFindings } from './print-findings.ts';
import { withKohas } from '../../connect/koha-clients.ts';
import {
  choices,
  type CliDeps,
  defineCommand,
  Failure,
  flag,
  findLibrary,
  onlyInput,
  readLines,
  type Report,
  WrongUse,
} from '../../program/index.ts';

interface Diagnosis {
  readonly library: Library;
  readonly about: PluginAbout | null;
  readonly reports: PluginReports | null;
  readonly findings: readonly Finding[];
}

/** What the configuration itself makes one wonder about, at this library. */
function warningsOf(consortium: Consortium, library: Library): Finding[] {
  const path = `libraries[${consortium.libraries.indexOf(library)}].`;
  return configWarnings(consortium)
    .filter(({ libraries }) => libraries.includes(library.id))
    .map((found) => {
      // An overlap stands at the later of the two libraries, and concerns both.
      const key = found.path.startsWith(path) ? found.path.slice(path.length) : found.path;
      return warning('configuration', `${key}: ${found.warning}`, `look at ${key} in the configuration`, key);
    });
}

async function diagnose(
  consortium: Consortium,
  libraries: readonly Library[],
  report: Report,
  deps: CliDeps,
): Promise<Diagnosis[]> {
  return withKohas(libraries, deps, async (kohaOf) => {
    const examined = await Promise.all(
      libraries.map(async (library): Promise<Examined> => {
        const examinee = examineeOf(library, kohaOf(library.id), consortium, examineeDeps(deps));
        const examination = await examineLibrary(examinee);
        if (deps.isTerminal && !report.isJson) report.progress(`${library.id}: examined`);
        return { examinee, examination };
      }),
    );
    return Promise.all(
      examined.map(async (one) => {
        const { about, reports, findings } = one.examination;
        const { library } = one.examinee;
        const twins = await collect(checkTwins(examined, one));
        const unmapped = await collect(checkClosedMap(examined, one, consortium));
        const warnings = warningsOf(consortium, library);
        const all = [...twins.findings, ...findings, ...unmapped.findings, ...warnings];
        return { library, about, reports, findings: withoutIntended(all, library) };
      }),
    );
  });
}

/** What the plugin reports, in one line: `plugin 1.0.0, Koha 24.11.05, 4 workers`; what is missing is left out. */
function describeAbout({ version, koha_version: koha, plack_workers: workers }: PluginAbout): string {
  return [
    `plugin ${version}`,
    ...(koha === null ? [] : [`Koha ${koha.split('.').slice(0, 3).join('.')}`]),
    ...(workers === null ? [] : [`${workers} ${workers === 1 ? 'worker' : 'workers'}`]),
  ].join(', ');
}

const SOURCES = {
  staff: 'staff desk',
  self_check: 'self-check',
  sip: 'SIP',
  copies: 'scans of copies',
} as const;

/** How the plugin reports, in two lines: where to, as whom and with which secret; and what. */
function describeReports({ library, receiver_url: url, secret, serves, findings }: PluginReports): string[] {
  const sources = Object.entries(SOURCES).flatMap(([source, text]) =>
    serves[source as keyof typeof SOURCES] ? [text] : [],
  );
  const where = [
    `reports to ${url ?? 'nowhere'}`,
    `as ${library ?? 'nobody'}`,
    ...(secret !== null && secret.of > 1 ? [`with secret ${secret.place} of ${secret.of}`] : []),
  ].join(' ');
  const reached = findings?.find(({ finding }) => finding === 'receiver_ok');
  const answered = reached === undefined ? [] : [`receiver answers in ${reached.figure ?? 0} ms`];
  return [where, [`reports: ${sources.join(', ') || 'nothing'}`, ...answered].join('; ')];
}

const shortOf = ({ version, koha_version, plack_workers }: PluginAbout) => ({
  version,
  koha_version,
  plack_workers,
});

/** The proof was for us alone, and what was found is among the findings. */
const shownOf = ({ proof: _proof, findings: _findings, ...reports }: PluginReports) => reports;

/** What the service itself is called in the output. */
const SERVICE = 'service';

/** All that was found, of the service itself and of each library. */
interface Everything {
  readonly service: readonly Finding[];
  readonly diagnoses: readonly Diagnosis[];
  /** The address of the dashboard. */
  readonly dashboard: string | null;
}

const count = ({ service, diagnoses }: Everything, level: Finding['level']): number =>
  [...service, ...diagnoses.flatMap(({ findings }) => findings)].filter((finding) => finding.level === level)
    .length;

function print(all: Everything, report: Report): void {
  const { line, colors } = report;
  const summary = (findings: readonly Finding[]): string =>
    findings.every(({ level }) => level === 'unchecked') ? `: ${colors.green('nothing wrong')}` : '';
  line(`${colors.bold(SERVICE)}${summary(all.service)}`);
  printFindings(all.service, report);
  printLink(serviceLink(all.dashboard, all.service), report);
  for (const { library, about, reports, findings } of all.diagnoses) {
    line(`${colors.bold(library.id)} ${colors.dim(library.name)}${summary(findings)}`);
    if (about !== null) line(`  ${colors.dim(describeAbout(about))}`);
    if (reports !== null) for (const fact of describeReports(reports)) line(`  ${colors.dim(fact)}`);
    printFindings(findings, report);
    printLink(libraryLink(all.dashboard, library.id, findings), report);
  }
  const counted = (level: Finding['level'], one: string, several: string): string => {
    const number = count(all, level);
    return `${number} ${number === 1 ? one : several}`;
  };
  const parts = [
    counted('fault', 'fault', 'faults'),
    counted('warning', 'warning', 'warnings'),
    counted('unchecked', 'not checked', 'not checked'),
  ];
  line(`${all.diagnoses.length} checked: ${parts.join(', ')}`);
}

/** Ends in Redis what is repaired. A Redis that refuses costs nobody what doctor has found, and is found itself. */
async function endRepaired(
  { consortium, redisUrl, fileHash }: DoctorConfig,
  found: readonly Finding[],
  diagnoses: readonly Diagnosis[],
): Promise<Finding[]> {
  if (redisUrl === null || found.some(({ code }) => code === 'redis_unreachable')) return [];
  const { withQueueOf } = await import('../../connect/with-queue.ts');
  const { noteRepaired } = await import('./note-repaired.ts');
  try {
    await withQueueOf({ consortium, redisUrl, fileHash }, (open) =>
      noteRepaired(diagnoses, consortium, open),
    );
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const problem = `whether an alert of last night can end: ${error.message}`;
    return [unchecked('redis_unreachable', problem, 'look at Redis, then run passport doctor again')];
  }
}

/** Checks the service and these libraries, and prints all that is found: 1 where there is a fault. */
export async function examineAll(
  service: DoctorConfig,
  libraries: readonly Library[],
  ignore: readonly string[],
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> {
  const { consortium } = service;
  // With the queue, which help and --probe do without: loading BullMQ takes longer than either.
  const { checkService } = await import('./check-service.ts');
  const isWanted = ({ code }: Finding): boolean => !ignore.includes(code);
  const [found, diagnoses] = await Promise.all([
    checkService(service, libraries, deps),
    diagnose(consortium, libraries, report, deps),
  ]);
  // What a reload changes is said once, and not by the plugin as well.
  const awaitsReload = new Set(found.flatMap(({ code, name }) => (code === 'not_reloaded' ? [name] : [])));
  found.push(...(await endRepaired(service, found, diagnoses)));
  const isNews = ({ id }: Library, finding: Finding): boolean =>
    isWanted(finding) && !(awaitsReload.has(id) && isOfUnknownLibrary(finding));
  const { dashboard } = consortium.public;
  const all: Everything = {
    dashboard,
    service: found.filter(isWanted),
    diagnoses: diagnoses.map((each) => ({
      ...each,
      findings: each.findings.filter((finding) => isNews(each.library, finding)),
    })),
  };
  const faults = count(all, 'fault');
  print(all, report);
  report.json({
    ok: faults === 0,
    faults,
    warnings: count(all, 'warning'),
    unchecked: count(all, 'unchecked'),
    service: { findings: all.service, link: serviceLink(dashboard, all.service) },
    libraries: all.diagnoses.map(({ library, about, reports, findings }) => ({
      id: library.id,
      about: about === null ? null : shortOf(about),
      reports: reports === null ? null : shownOf(reports),
      findings,
      link: libraryLink(dashboard, library.id, findings),
    })),
  });
  return faults === 0 ? 0 : 1;
}

export const doctor = defineCommand({
  summary: 'check the service and every Koha, and say how to fix each fault',
  description:
    'Checks whether the service is up (the receiver at PASSPORT_RECEIVER, or else at public.receiver of the configuration, Redis, a live worker of this version), and whether the Koha ' +
    'of each library (of all enabled libraries, or of those named) is reachable and set up for it: address, certificate, clock, ' +
    'credentials, permissions, branches, categories, circulation rules, plugin. The plugin proves that it has the right secret, and ' +
    'reports what its own set-up check finds: the way to the receiver, attribute types, tables, web workers. Lists what could not be checked. Changes nothing in a Koha, and ends in Redis what last night found and is repaired: write permissions are tested on a patron and an item that do not ' +
    'exist. Sends every lookup exactly as the worker does, and quotes unexpected answers. With --probe, looks up one known card ' +
    "instead, with the worker's own calls, and prints the status and time of each. Workers check every set-up once a night; --last shows what they found. Exit code 1 on a fault; warnings do not count.",
  examples: [
    'passport doctor',
    'passport doctor riverside lakeside',
    "passport doctor --json | jq '.libraries[].findings[]'",
    'passport doctor riverside --ignore enrolment_fee',
    'passport doctor --last',
    'passport doctor --probe -   (type the card, then Enter)',
    'passport doctor midland riverside --probe - --item - < card-and-barcode.txt',
  ],
  argument: ['[library...]', 'the libraries to check; default: all enabled libraries'],
  options: {
    probe: onlyInput(
      'card',
      'look up one card as the worker does, instead of the checks; the card is the first line of standard input',
    ),
    item: onlyInput(
      'barcode',
      'with --probe: also check whether an item could be checked out; its barcode is the second line of standard input',
    ),
    last: flag('show what the last nightly check of each library found, and call no Koha', ['probe', 'item']),
    ignore: choices(
      '<code...>',
      'omit findings, once; what a library intends is in its ignore_findings',
      FINDING_CODES,
    ),
  },
  run: async ({ ignore = [], probe, item, last }, ids, report, deps): Promise<0 | 1> => {
    if (last === true) {
      const { runLast } = await import('./run-last.ts');
      return runLast(ids, ignore, report, deps);
    }
    const service = doctorConfig(deps.env, deps.readFile);
    const { consortium } = service;
    const libraries =
      ids.length === 0
        ? consortium.libraries.filter(({ enabled }) => enabled)
        : [...new Set(ids)].map((id) => findLibrary(consortium, id));
    if (item !== undefined && probe === undefined) throw new WrongUse('--item requires --probe');
    if (probe !== undefined) {
      const wanted = item === undefined ? ['card'] : ['card', 'barcode'];
      const [card = '', barcode = null] = await readLines(deps, wanted);
      return runProbe({ consortium, libraries, isNamed: ids.length > 0, card, barcode }, report, deps);
    }
    return examineAll(service, libraries, ignore, report, deps);
  },
});
