import type { Library } from '@passport/config';
import type { SetUpFindingCode } from '@passport/contract';
import {
  type SetUpFinding,
  type SetUpJob,
  type SetUpSeen,
  isSilence,
  noteDone,
  readSetUps,
  writeSetUp,
} from '@passport/queue/sweeps';
import {
  type ExaminedKoha,
  type Examinee,
  examineLibrary,
  examineeOf,
  findingsToKeep,
  withoutIntended,
  withUnseenFaults,
} from '@passport/set-up';
import { LibraryClosed, LibraryPaused } from '../koha/koha-failure.ts';
import { type SliceContext, SweepPaused, assertNoPause } from '../koha/slice.ts';
import type { WorkContext } from '../work-context.ts';

/** So often a check is begun; what a night's last one does not get done stays unchecked. */
const MOST_TRIES = 3;
/** Between two tries: a Koha that is being backed up or upgraded is none that is set up wrongly. */
const AGAIN_MS = 20 * 60_000;

export type SetUpJobContext = Pick<
  SliceContext,
  'consortium' | 'redis' | 'libraries' | 'callsUntil' | 'slice' | 'stopping' | 'now' | 'log'
> &
  Pick<WorkContext, 'newId' | 'pauseLeft'> &
  Partial<Pick<Examinee, 'readCertificate'>>;

/**
 * Checks the set-up of one library as doctor does, and writes down what it found, in codes. The calls are those of a sweep: one at a time,
 * after the desks'. Nothing is sent to a library that is paused or away. Throws SweepPaused where it is to be tried again later.
 */
export async function doSetUpJob(jobId: string, { library }: SetUpJob, deps: SetUpJobContext): Promise<void> {
  const { consortium, redis, stopping, now } = deps;
  const examined = consortium.libraries.find(({ id }) => id === library);
  if (examined === undefined) throw new Error(`${library} is not in this worker's configuration`);
  if (!examined.enabled) return;
  const before = (await readSetUps(redis)).get(library) ?? { at_ms: null, findings: [], job: null, tries: 0 };
  const tries = before.job === jobId ? before.tries : 0;
  const note = (count: number): Promise<void> =>
    writeSetUp(redis, library, { ...before, job: jobId, tries: count });
  const giveUp = (code: SetUpFindingCode): Promise<void> =>
    finish(examined, notMade(before, code, now()), deps);
  if (tries >= MOST_TRIES) return giveUp('no_answer');
  assertNoPause(library, deps);
  // First: a check that ends its worker is not begun without end.
  await note(tries + 1);
  try {
    const findings = await examine(examined, deps);
    const isLast = tries + 1 === MOST_TRIES;
    const has = (wanted: SetUpFindingCode): boolean => findings.some(({ code }) => code === wanted);
    if (isLast && has('unreachable')) return await giveUp('unreachable');
    if (isLast || !(has('unreachable') || has('no_answer')))
      return await finish(
        examined,
        { at_ms: now(), findings: [...withUnseenFaults(findings, before.findings)] },
        deps,
      );
  } catch (error) {
    // The worker stops or is reloaded: that is no fault of the library.
    if (stopping.aborted) await note(tries);
    if (error instanceof LibraryPaused) {
      await note(tries);
      assertNoPause(library, deps);
    }
    if (!(error instanceof LibraryClosed)) throw error;
    if (tries + 1 === MOST_TRIES) return giveUp('unreachable');
  }
  throw new SweepPaused(now() + AGAIN_MS);
}

/** What a night leaves behind at a library. */
type Seen = Omit<SetUpSeen, 'job' | 'tries'>;

/**
 * What is known after a night in which the check could not be made. That nobody answered, or desks were served instead, says nothing of the
 * set-up: what was known of it still holds. The second night in a row it is a fault: where nobody is scanned, nothing else tells of it.
 */
function notMade(before: Seen, code: SetUpFindingCode, nowMs: number): Seen {
  const isAgain =
    before.unchecked_since_ms !== undefined ||
    before.findings.some((finding) => finding.level === 'fault' && isSilence(finding));
  const known = before.findings.filter((finding) => finding.level !== 'unchecked' && !isSilence(finding));
  return {
    at_ms: before.at_ms,
    findings: [...known, { code, level: isAgain ? 'fault' : 'unchecked', name: null }],
    unchecked_since_ms: before.unchecked_since_ms ?? nowMs,
  };
}

async function finish(examined: Library, seen: Seen, { redis, now, log }: SetUpJobContext): Promise<void> {
  const library = examined.id;
  const findings = withoutIntended(seen.findings, examined);
  await writeSetUp(redis, library, { ...seen, findings, job: null, tries: 0 });
  await noteDone(redis, { kind: 'set_up', library }, now());
  log.info({ library, findings: findings.map(({ code }) => code) }, 'set-up checked');
}

async function examine(
  library: Library,
  { consortium, libraries, callsUntil, slice, stopping, now, newId, readCertificate }: SetUpJobContext,
): Promise<SetUpFinding[]> {
  // Nothing is sent to one that is away, no look at its certificate either.
  if (libraries.circuit(library.id).isOpen) throw new LibraryClosed(library.id);
  const call = callsUntil(AbortSignal.any([stopping, slice.signal]));
  const ask: Ask = (work) => {
    slice.endIfOver('page');
    return call(library.id, work, { isOnce: true });
  };
  const examinee = examineeOf(library, kohaThrough(ask), consortium, {
    now,
    newNonce: newId,
    ...(readCertificate === undefined ? {} : { readCertificate }),
  });
  const { findings } = await examineLibrary(examinee);
  return findingsToKeep(findings, library, consortium);
}

/** Makes one call of the check. */
type Ask = <T>(work: (koha: ExaminedKoha) => Promise<T>) => Promise<T>;

/** What doctor calls, each by way of `ask`. */
const kohaThrough = (ask: Ask): ExaminedKoha => ({
  about: (...args) => ask((koha) => koha.about(...args)),
  availability: (...args) => ask((koha) => koha.availability(...args)),
  branches: (...args) => ask((koha) => koha.branches(...args)),
  capabilities: (...args) => ask((koha) => koha.capabilities(...args)),
  categories: (...args) => ask((koha) => koha.categories(...args)),
  changePatron: (...args) => ask((koha) => koha.changePatron(...args)),
  checkPlugin: (...args) => ask((koha) => koha.checkPlugin(...args)),
  findByAttribute: (...args) => ask((koha) => koha.findByAttribute(...args)),
  findByCard: (...args) => ask((koha) => koha.findByCard(...args)),
  findCheckout: (...args) => ask((koha) => koha.findCheckout(...args)),
  findItem: (...args) => ask((koha) => koha.findItem(...args)),
  knowsApiKey: (...args) => ask((koha) => koha.knowsApiKey(...args)),
  probeAttributeTypeByRefusal: (...args) => ask((koha) => koha.probeAttributeTypeByRefusal(...args)),
  reach: (...args) => ask((koha) => koha.reach(...args)),
  readPatron: (...args) => ask((koha) => koha.readPatron(...args)),
  storedRules: (...args) => ask((koha) => koha.storedRules(...args)),
  visiblePatrons: (...args) => ask((koha) => koha.visiblePatrons(...args)),
});
