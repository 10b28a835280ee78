import type { Consortium, Library, NotifiedEndpoint } from '@passport/config';
import { type NotificationTopic, SERVICE_FINDINGS, setUpFindingText } from '@passport/contract';
import { type ListedInvitation, listInvitations } from '@passport/queue/joining';
import { readHourUse } from '@passport/queue/ledger';
import { type SeenCertificate, readCertificates } from '@passport/queue/notices';
import { inBatches } from '@passport/queue/redis';
import { type ServiceFinding, readServiceFindings, sectionOf } from '@passport/queue/service';
import { type LibraryState, problemText, readLibraryStates } from '@passport/queue/processes';
import { type SetUpFinding, type SweepState, faultsOf, readSetUps, readSweep } from '@passport/queue/sweeps';
import type { Redis } from '@passport/runtime';
import type { Observation } from './observation.ts';

/** Looks at what is the case now. */
export type Look = (nowMs: number) => Promise<readonly Observation[]>;

const DAY_MS = 24 * 3_600_000;
/** Days before its end at which somebody is notified of a certificate: time to renew it, then time to hurry. */
const CERTIFICATE_DAYS = [1, 3, 7, 14] as const;
/** A sweep that ended before is no news: there was a message, or nobody wanted one. */
const SWEEP_NEWS_MS = 3_600_000;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Of the workers: they are there, or desks wait for nothing. */
export function workerObservation(isMissing: boolean): Observation {
  return {
    topic: 'worker_missing',
    library: null,
    state: isMissing ? 'missing' : 'there',
    isWell: !isMissing,
    type: isMissing ? 'worker.missing' : 'worker.back',
    text: isMissing
      ? 'No worker is running: scans are accepted, but not processed.'
      : 'Workers are running again.',
    section: 'passportnoworker',
    facts: {},
  };
}

/** Builds what looks, in what all workers have written down, at everything that somebody wants to know of libraries. */
export function buildLook({ libraries, notify }: Consortium, redis: Redis): Look {
  const wants = (topic: NotificationTopic) =>
    libraries.filter(({ id, enabled }) => enabled && isWanted(notify, topic, id));
  const [away, faulty, limited, certified] = (
    ['library', 'set_up_fault', 'limit_reached', 'certificate'] as const
  ).map(wants) as [Library[], Library[], Library[], Library[]];
  const swept = wants('sweep_finished').filter(({ refresh }) => refresh !== null);
  const watched = libraries.filter((each) => away.includes(each) || faulty.includes(each));
  const lending = limited.filter(({ webhookSecrets }) => webhookSecrets.length > 0);
  const idsOf = (some: readonly Library[]): string[] => some.map(({ id }) => id);
  const awayIds = new Set(idsOf(away));
  const faultyIds = new Set(idsOf(faulty));
  const heard = libraries.filter(({ enabled }) => enabled);
  const wantsService = notify.some(({ topics }) => topics.some((topic) => SERVICE_TOPICS.has(topic)));
  const wantsRequests = notify.some(({ topics }) => topics.includes('join_request'));
  return async (nowMs) => {
    const states = await inBatches(idsOf(watched), (some) => readLibraryStates(redis, some, nowMs), BATCH);
    const hours = await inBatches(
      idsOf(lending),
      async (some) => [...(await readHourUse(redis, some, nowMs))],
      BATCH,
    );
    const used = new Map(hours);
    const certificates = certified.length === 0 ? new Map<string, never>() : await readCertificates(redis);
    const setUps = faulty.length === 0 ? new Map<string, never>() : await readSetUps(redis);
    const sweeps = await inBatches(
      idsOf(swept),
      (some) => Promise.all(some.map((id) => readSweep(redis, id, false))),
      BATCH,
    );
    const found = wantsService ? await readServiceFindings(redis, idsOf(heard), null, nowMs) : null;
    const invited = wantsRequests ? await listInvitations(redis) : [];
    return [
      ...invited.flatMap(requestObservation),
      ...(found === null ? [] : [serviceObservation(found)]),
      ...(found === null ? [] : heard.flatMap(({ id }) => libraryObservations(id, found))),
      ...states.filter(({ library }) => awayIds.has(library)).map(awayObservation),
      ...states
        .filter(({ library }) => faultyIds.has(library))
        .map((state) => faultObservation(state, faultsOf(setUps.get(state.library)))),
      ...lending.map((library) => limitObservation(library, used.get(library.id))),
      ...certified.flatMap(({ id }) => certificateObservation(id, certificates.get(id), nowMs)),
      ...sweeps.flatMap((sweep) => (sweep === null ? [] : sweepObservation(sweep, nowMs))),
    ];
  };
}

const SERVICE_TOPICS: ReadonlySet<NotificationTopic> = new Set([
  'service_fault',
  'deliveries_refused',
  'reports_refused',
]);

/** Scans are on the same connection: what they send waits for one batch, not for a thousand libraries. */
const BATCH = 50;

/** Whether any endpoint wants messages of the topic for the library. */
export function isWanted(
  endpoints: readonly NotifiedEndpoint[],
  topic: NotificationTopic,
  library: string | null,
): boolean {
  return endpoints.some((endpoint) => wantsOf(endpoint, topic, library));
}

export function wantsOf(
  { topics, libraries }: Pick<NotifiedEndpoint, 'topics' | 'libraries'>,
  topic: NotificationTopic,
  library: string | null,
): boolean {
  return topics.includes(topic) && (library === null || libraries === 'all' || libraries.includes(library));
}

function awayObservation({
  library,
  isOpen,
  lastFailure,
  lastSuccessMs,
  lastFailureMs,
}: LibraryState): Observation {
  const because = lastFailure === null ? '' : ` (${lastFailure})`;
  return {
    topic: 'library',
    library,
    state: isOpen ? 'away' : 'there',
    isWell: !isOpen,
    type: isOpen ? 'library.away' : 'library.back',
    text: isOpen ? `does not answer${because}. Scans that need it wait.` : 'answers again.',
    section: 'passportlibraryopen',
    facts: {
      ...(isOpen ? { code: lastFailure } : {}),
      last_success: iso(lastSuccessMs),
      last_failure: iso(lastFailureMs),
    },
  };
}

/** Findings of the whole service that are worth a message. Others have one of their own, or are usual for the time of an upgrade. */
const REPORTED = new Set<string>([
  'no_receiver',
  'redis_policy',
  'redis_filling',
  'log_lost',
  'unreadable_job',
  'unknown_sender',
]);

/** Of the whole service: everything that is wrong with it is one state. */
function serviceObservation(found: readonly ServiceFinding[]): Observation {
  const wrong = found.filter(({ code }) => REPORTED.has(code));
  const [first] = wrong;
  const sentences = wrong.map(
    ({ problem, remedy }) =>
      `${problem.slice(0, 1).toUpperCase()}${problem.slice(1)}. What to do: ${remedy}.`,
  );
  return {
    topic: 'service_fault',
    library: null,
    state:
      wrong.length === 0
        ? 'well'
        : Array.from(new Set(wrong.map(({ code }) => code)))
            .toSorted()
            .join(' '),
    isWell: wrong.length === 0,
    type: wrong.length === 0 ? 'service.fixed' : 'service.fault',
    text: wrong.length === 0 ? 'The service works again.' : sentences.slice(0, MOST_SAID).join(' '),
    section: first === undefined ? 'answer-a-message' : sectionOf(first),
    facts: wrong.length === 0 ? {} : { findings: countsOf(wrong) },
  };
}

const ACCEPTED = {
  deliveries_refused: ['deliveries.refused', 'deliveries.accepted', 'is heard by the receiver again.'],
  reports_refused: ['reports.refused', 'reports.accepted', 'takes reports again.'],
} as const;

/** Whether the receiver refuses what a library sends, and whether its Koha takes reports. */
function libraryObservations(library: string, found: readonly ServiceFinding[]): readonly Observation[] {
  return (['deliveries_refused', 'reports_refused'] as const).map((topic) => {
    const finding = found.find((each) => each.code === topic && each.library === library);
    const [wrong, right, text] = ACCEPTED[topic];
    return {
      topic,
      library,
      state: finding === undefined ? 'accepted' : 'refused',
      isWell: finding === undefined,
      type: finding === undefined ? right : wrong,
      text: finding === undefined ? text : `${finding.problem}. What to do: ${finding.remedy}.`,
      section: SERVICE_FINDINGS[topic],
      facts: {},
    };
  });
}

/** What a scan has met, and what the last nightly check found before one did. */
function faultObservation({ library, problem }: LibraryState, found: readonly SetUpFinding[]): Observation {
  const isWell = problem === null && found.length === 0;
  const named = problem === null ? '' : problemText(problem);
  const codes = found.map(({ code, name }) => [code, ...(name === null ? [] : [name])].join(' ')).toSorted();
  const refuses = problem === null ? [] : [`refuses the service until its set-up is fixed: ${named}.`];
  const lacks = found.slice(0, MOST_SAID).map(({ code, name }) => setUpFindingText(code, name));
  const more = found.length > MOST_SAID ? `; and ${found.length - MOST_SAID} more` : '';
  const checked =
    found.length === 0
      ? []
      : [`has faults in its set-up, by last night's check: ${lacks.join('; ')}${more}.`];
  return {
    topic: 'set_up_fault',
    library,
    state: isWell ? 'fixed' : ['fault', ...(named === '' ? [] : [named]), ...codes].join(' '),
    isWell,
    type: isWell ? 'set_up.fixed' : 'set_up.fault',
    text: isWell ? 'works again: its set-up was fixed.' : [...refuses, ...checked].join(' It '),
    section: problem === null ? 'passportsetupfault' : 'passportmisconfigured',
    facts: {
      ...(problem === null ? {} : { problem: problem.what, name: problem.name }),
      ...(found.length === 0 ? {} : { findings: countsOf(found) }),
    },
  };
}

/** A message has one sentence of each kind, and a hostile Koha no say in how long it is. */
const MOST_SAID = 5;

function countsOf(found: readonly { readonly code: string }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { code } of found) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

function limitObservation({ id, limits }: Library, used: Readonly<Record<string, number>> = {}): Observation {
  const most = {
    copies: limits.copiesPerHour,
    misses: limits.missesPerHour,
    verdicts: limits.verdictsPerHour,
    refreshes: limits.refreshesPerHour,
  };
  const reached = Object.entries(most).flatMap(([kind, limit]) => ((used[kind] ?? 0) >= limit ? [kind] : []));
  const keys = reached.map((kind) => `${kind}_per_hour`);
  return {
    topic: 'limit_reached',
    library: id,
    state: reached.join(' '),
    isWell: reached.length === 0,
    type: reached.length === 0 ? null : 'limit.reached',
    text: `has reached ${keys.join(' and ')}. ${whatWaits(reached)} until the hour has quota again.`,
    section: `passport${reached[0] ?? 'copies'}limitreached`,
    facts: Object.fromEntries(reached.map((kind) => [`${kind}_per_hour`, used[kind] ?? 0])),
  };
}

const whatWaits = (reached: readonly string[]): string =>
  reached.every((kind) => kind === 'refreshes') ? 'Refreshes of its copies wait' : 'Its scans wait';

/** Of a library that is no member: endpoints of some libraries do not learn of it. */
function requestObservation({ library, name, request }: ListedInvitation): Observation[] {
  if (request === null) return [];
  return [
    {
      topic: 'join_request',
      library,
      state: request.fingerprint,
      isWell: false,
      type: 'join.requested',
      text: `asks to join (${name}). Telephone it, and compare the fingerprint, before it is accepted.`,
      section: 'a-library-asks-to-join',
      facts: { name, received: iso(request.receivedMs) },
    },
  ];
}

function certificateObservation(
  library: string,
  seen: SeenCertificate | undefined,
  nowMs: number,
): Observation[] {
  const untilMs = seen?.until_ms ?? null;
  if (untilMs === null) return [];
  const daysLeft = (untilMs - nowMs) / DAY_MS;
  const level = daysLeft < 0 ? 'expired' : CERTIFICATE_DAYS.find((days) => daysLeft <= days);
  const days = Math.max(0, Math.floor(daysLeft));
  return [
    {
      topic: 'certificate',
      library,
      state: level === undefined ? 'valid' : String(level),
      isWell: level === undefined,
      type: level === undefined ? null : 'certificate.expiring',
      text:
        level === 'expired'
          ? 'has a certificate that has expired.'
          : `has a certificate that expires in ${days} ${days === 1 ? 'day' : 'days'}.`,
      section: 'certificate-about-to-expire',
      facts: { expires: iso(untilMs), days_left: days },
    },
  ];
}

function sweepObservation(sweep: SweepState, nowMs: number): Observation[] {
  if (sweep.ended_ms === null) return [];
  const homes = Object.values(sweep.homes);
  const sum = (of: 'copies' | 'fields_changed' | 'fields_kept'): number =>
    homes.reduce((total, home) => total + home[of], 0);
  const down = homes.filter(({ state }) => state === 'down').length;
  const findings: Record<string, number> = {};
  for (const [code, count] of homes.flatMap((home) => Object.entries(home.findings)))
    findings[code] = (findings[code] ?? 0) + count;
  const isNews = nowMs - sweep.ended_ms <= SWEEP_NEWS_MS;
  return [
    {
      topic: 'sweep_finished',
      library: sweep.library,
      state: sweep.id,
      isWell: !isNews,
      type: isNews ? 'sweep.finished' : null,
      text: `has had its copies compared with their home records: ${sum('copies')} copies, ${sum('fields_changed')} fields changed, ${down} home libraries did not answer.`,
      section: 'read-the-reports-of-sweeps',
      facts: {
        mode: sweep.mode,
        started: iso(sweep.started_ms),
        ended: iso(sweep.ended_ms),
        copies: sum('copies'),
        fields_changed: sum('fields_changed'),
        fields_kept: sum('fields_kept'),
        homes: homes.length,
        homes_down: down,
        findings,
      },
    },
  ];
}
