import { parseConsortium } from '@passport/config';
import { type JobData, formatWebhookSecret, encryptionContext } from '@passport/contract';
import { createKohaClient } from '@passport/koha-client';
import { type KohaDouble, type KohaDoubleOptions, startKohaDouble } from '@passport/koha-double';
import { buildConsortiumFile, consortiumSecrets } from '@passport/testkit';
import type { Audit } from '../src/provision/audit.ts';
import { buildLibraries, type Libraries } from '../src/koha/libraries.ts';
import type { ProvisionContext } from '../src/provision/context.ts';
import { codeOf, disclosuresOf } from '../src/provision/result.ts';
import { type RunResult, runScan } from '../src/job/run-scan.ts';
import type { TakenJob } from '../src/job/taken-job.ts';
import { startingCap } from '../src/koha/call-caps.ts';
import { CARD, ITEM, ENCRYPTION, takenJob, jobData, runDeps } from './builders.ts';

const secretOf = (library: string): string =>
  formatWebhookSecret(Buffer.alloc(32, `what ${library} signs with`));
const UNCOUNTED = ['GET /', 'POST /oauth/token', 'PUT /contrib/passport/scans/{event_id}/outcome'];

export interface WorkflowBench {
  readonly midland: KohaDouble;
  readonly riverside: KohaDouble;
  readonly libraries: Libraries;
  /** What was audited, in order: the actions. */
  readonly audited: readonly string[];
  /** Runs the job of a scan at riverside of a midland card, made now; returns what is to be done with it. */
  run(wish?: Wish, deps?: Partial<ProvisionContext>): Promise<RunResult>;
  /** The Koha calls so far, `library METHOD /path`; token, description and plugin aside. */
  calls(): string[];
  /** The patron with this card at riverside. */
  copy(card?: string): ReturnType<KohaDouble['state']>['patrons'][number] | undefined;
  stop(): Promise<void>;
}

/** What may differ from a fresh scan of CARD with ITEM. */
export interface Wish extends Partial<Omit<TakenJob, 'data'>> {
  readonly card?: string;
  /** Null: no item waits. */
  readonly item?: string | null;
  /** How long ago the card was scanned. */
  readonly agoMs?: number;
  readonly job?: Partial<JobData>;
}

export interface WorkflowPlan {
  readonly riverside?: Omit<KohaDoubleOptions, 'library'>;
  readonly midland?: Omit<KohaDoubleOptions, 'library'>;
  /** More keys of riverside's entry in the configuration, by section. */
  readonly entry?: Readonly<Record<string, object>>;
  /** The same of midland's. */
  readonly homeEntry?: Readonly<Record<string, object>>;
  /** More home libraries; whoever has started them closes them. */
  readonly more?: readonly KohaDouble[];
  /** Of the circuits; instead of the process' clock. */
  readonly monotonicNow?: () => number;
}

/** A patron of midland against whom nothing stands. */
export const PATRON = {
  surname: 'Okafor',
  firstname: 'Adaeze',
  email: 'adaeze@post.example',
  address: '1 Harbour Row',
  city: 'Midland',
  date_of_birth: '1990-05-01',
  expiry_date: '2037-12-31',
  category_id: 'AD',
  library_id: 'MAIN',
};

/** Two Kohas, a patron at home in one and a book in the other, and the workflow between them. */
export async function openWorkflow(plan: WorkflowPlan = {}): Promise<WorkflowBench> {
  const [midland, riverside] = await Promise.all([
    startKohaDouble({ library: 'midland', ...plan.midland }),
    startKohaDouble({ library: 'riverside', ...plan.riverside }),
  ]);
  const doubles = [midland, riverside, ...(plan.more ?? [])];
  midland.putPatron(CARD, PATRON);
  riverside.putItem(ITEM, { item_type_id: 'BK', home_library_id: 'MAIN', holding_library_id: 'MAIN' });
  const consortium = consortiumOf(doubles, plan.entry ?? {}, plan.homeEntry);
  const clients = consortium.libraries.map(({ id, koha }) =>
    createKohaClient({
      library: id,
      url: koha.url,
      clientId: koha.clientId.reveal(),
      clientSecret: koha.clientSecret.reveal(),
      timeoutMs: koha.timeoutMs,
      maxInFlight: startingCap(koha),
      now: Date.now,
    }),
  );
  const watch = {
    circuitChanged: () => undefined,
    answered: () => undefined,
    failed: () => undefined,
    reported: () => undefined,
  };
  const byId = new Map(clients.map((client) => [client.library, client]));
  const libraries = buildLibraries(
    byId,
    { monotonicNow: plan.monotonicNow ?? (() => performance.now()), random: Math.random },
    watch,
  );
  const audited: string[] = [];
  const context = {
    consortium,
    libraries,
    quota: { reserve: () => Promise.resolve(null), isAmple: () => false },
    withPatronLock: (_scan, _homeKey, lock, work) =>
      work({
        ...lock,
        take: () => Promise.resolve(),
        takeWith: (claim) => claim({ name: '', run: '', lifeMs: 0 }),
      }),
    createAccess: {
      freeInMs: () => null,
      async within({ lending, eventId, startedMs: sinceMs }, _signal, work, take) {
        const owner = { event: `${lending}.${eventId}`, run: 'run-1', sinceMs };
        const claimed = await take?.({ library: lending, owner, placeLifeMs: 0 });
        if (claimed === 'on_record') return { kind: 'on_record' };
        return { kind: 'done', value: await work() };
      },
    },
    random: () => 0.5,
    audit: auditInto(audited),
    copied: () => undefined,
    remember: () => undefined,
    receipts: { append: () => Promise.resolve('1-0') },
    records: { find: () => Promise.resolve(null), rekey: () => Promise.resolve() },
    readConsent: () => Promise.resolve(null),
    readDecision: () => Promise.resolve(null),
    now: Date.now,
    monotonicNow: () => performance.now(),
    pause: () => Promise.resolve(),
    inStep: (_name, work) => work(),
  } satisfies ProvisionContext;
  return {
    midland,
    riverside,
    libraries,
    audited,
    run: (wish = {}, more = {}) =>
      runScan(
        takenOf(wish),
        runDeps({ ...context, ...more, libraries: { ...libraries, ...more.libraries } }),
      ),
    calls: () => callsOf(doubles),
    copy: (card = CARD) => riverside.state(card).patrons[0],
    async stop() {
      for (const client of clients) client.close();
      await Promise.all([midland, riverside].map((double) => double.close()));
    },
  };
}

function takenOf({ card = CARD, item = ITEM, agoMs = 0, job: wished = {}, ...taken }: Wish): TakenJob {
  const { made } = wished;
  // It has waited until it may be run.
  const job = made?.look_from_ms === undefined ? wished : { ...wished, made: { ...made, look_from_ms: 1 } };
  const { library, event_id: eventId } = jobData(job);
  const encrypt = (text: string, field: 'card' | 'item') =>
    ENCRYPTION.encrypt(text, encryptionContext(library, eventId, field));
  const data = jobData({
    received_ms: Date.now() - agoMs,
    age_at_delivery_ms: 0,
    encrypted_card: encrypt(card, 'card'),
    encrypted_item: item === null ? null : encrypt(item, 'item'),
    checkout_requested: item !== null,
    // A later run of a job whose first one was about to send the copy.
    sent: (taken.starts ?? 1) > 1 ? { home: 'midland', home_key: 'midland:2', fields: ['surname'] } : null,
    ...job,
  });
  return takenJob({ data, ...taken });
}

/** The configuration of some doubles, as the file would give it. */
export function consortiumOf(
  doubles: readonly KohaDouble[],
  entry: Readonly<Record<string, object>>,
  homeEntry: Readonly<Record<string, object>> = {},
) {
  const served = doubles.map((double) => ({
    id: double.library,
    kohaUrl: double.url,
    clientId: double.credentials.clientId,
    clientSecret: double.credentials.clientSecret,
    webhookSecret: secretOf(double.library),
    entry: double.library === 'riverside' ? entry : homeEntry,
  }));
  const keys = { defaults: { copy: { category: 'PT' }, koha: { timeout: '1s' } } };
  return parseConsortium(buildConsortiumFile(served, keys), consortiumSecrets(served), () => {
    throw new Error('no file is read');
  });
}

function callsOf(doubles: readonly KohaDouble[]): string[] {
  return doubles
    .flatMap((double) => double.calls().map((call) => ({ ...call, library: double.library })))
    .filter(({ operation }) => operation !== null && !UNCOUNTED.includes(operation))
    .toSorted((one, other) => one.at - other.at)
    .map(({ library, operation }) => `${library} ${operation}`);
}

function auditInto(actions: string[]): Audit {
  return {
    lookedUp: () => actions.push('looked up'),
    refusedBy: (_scan, { library }) => actions.push(`refused by ${library}`),
    notShared: (_scan, home, because) => actions.push(`not shared by ${home}: ${because}`),
    notEligible: (_scan, _home, reasons) => actions.push(`not eligible: ${reasons.join(' ')}`),
    consent: (_scan, _homeKey, { answer }) => actions.push(`consent: ${answer}`),
    decided: (_scan, { question, option }) => actions.push(`${question}: ${option}`),
    sending: () => undefined,
    copied: (_scan, _copy, result) => actions.push(`copy: ${codeOf(result)}`),
    checkedOut: (_scan, _patron, { result }) => actions.push(`checkout: ${result}`),
  };
}

/** The result of a run that must have ended, with what its event has disclosed last. */
export function endOfRun(decision: RunResult) {
  if (decision.kind !== 'done') throw new Error(`it is to ${decision.kind}: ${waitedFor(decision)}`);
  const { kind: _kind, job, data: _data, ifCancelled: _ifCancelled, ...end } = decision;
  const last = disclosuresOf(job).at(-1);
  if (last === undefined) return { ...end, disclosed: undefined };
  const { home, home_key: homeKey, fields } = last;
  return { ...end, disclosed: { home, homeKey, fields } };
}

/** The job as it is delayed, of a run that must wait. */
export function waitOf(decision: RunResult) {
  if (decision.kind !== 'retry') throw new Error(`it is to ${decision.kind}`);
  return decision;
}

const waitedFor = (decision: RunResult): string =>
  decision.kind === 'retry' ? JSON.stringify(decision.job.progress.waiting_for) : '';
