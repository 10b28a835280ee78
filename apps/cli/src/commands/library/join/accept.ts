import { createPrivateKey } from 'node:crypto';
import {
  addLibrary,
  checkedFile,
  configWarnings,
  isComparable,
  type JoinConfig,
  patternOf,
  renderLibrary,
} from '@passport/config';
import { parseJoinRequest, unsealJoinSecrets } from '@passport/contract';
import type { ListedInvitation } from '@passport/queue/joining';
import { attempt, withKohas } from '../../../connect/koha-clients.ts';
import { openAudit } from '../../../program/open-audit.ts';
import {
  applyOption,
  type CliDeps,
  defineCommand,
  Failure,
  flag,
  type Report,
  required,
  WrongUse,
} from '../../../program/index.ts';
import { faultOfAddress, faultOfName } from './inside-address.ts';
import { type LibraryPlan, planLibrary, type SecretStore } from './plan-library.ts';
import { takeOver } from './take-over.ts';
import { findInvitation, type OpenJoining, withInvitations } from './with-invitations.ts';

const digitsOf = (text: string): string => text.replaceAll(/\s/g, '');

function readOr(read: CliDeps['readFile'], path: string): string | null {
  try {
    return read(path);
  } catch {
    return null;
  }
}

/** Where this installation keeps the secrets of libraries: in lines of files that are there already, or in files. */
function storeOf({ secrets: folder }: JoinConfig, { readFile }: CliDeps): SecretStore {
  const [koha, webhook] = ['koha', 'webhook'].map((kind) => readOr(readFile, `${folder}/${kind}.env`));
  return typeof koha === 'string' && typeof webhook === 'string'
    ? { kind: 'lines', folder, koha, webhook }
    : { kind: 'files', folder };
}

/** What the library asks for, if it is the one that was meant. Throws Failure. */
async function readAsked(
  { invitations }: OpenJoining,
  listed: ListedInvitation,
  fingerprint: string,
  allowsPrivate: boolean,
  { lookup }: Pick<CliDeps, 'lookup'>,
) {
  const id = listed.library;
  const opened = await invitations.open(listed);
  if (opened === null) throw new Failure(`no request of ${id} waits`, { code: 'no_request' });
  if (digitsOf(fingerprint) !== digitsOf(opened.fingerprint))
    throw new Failure(
      `the request that waits for ${id} has another fingerprint. If you typed what the library reads to you, somebody else has sent it: passport library decline ${id}`,
      { code: 'fingerprint' },
    );
  const parsed = parseJoinRequest(opened.body);
  if (parsed.kind === 'invalid')
    throw new Failure(`the request does not fit: ${parsed.field} ${parsed.problem}`, { code: 'request' });
  const der = Buffer.from(opened.privateKey, 'base64url');
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const secrets = unsealJoinSecrets(key, parsed.request);
  if (secrets === null)
    throw new Failure(
      `what is sealed in the request cannot be opened, or was sealed for another address: let ${id} send it again (passport library requests --discard ${id})`,
      { code: 'seal' },
    );
  const { url } = parsed.request.koha;
  const fault = allowsPrivate ? null : (faultOfAddress(url) ?? (await faultOfName(url, lookup)));
  if (fault !== null)
    throw new Failure(
      `the address of its Koha${fault.startsWith('is ') ? '' : ':'} ${fault} (--allow-private, where it really is in your network)`,
      { code: 'address' },
    );
  return { request: parsed.request, secrets };
}

/** The file with the library in it, checked as `config check` does it with what the plan would write. Throws Failure, ConfigError. */
function checkWith(plan: LibraryPlan, { config: { path } }: OpenJoining, { env, readFile }: CliDeps) {
  const before = readFile(path);
  const after = addLibrary(before, plan.entry);
  if (after === null)
    throw new Failure(`the form of ${path} is one that the library cannot be added to: write it by hand`, {
      code: 'form',
    });
  for (const name of Object.keys(plan.variables)) {
    if (env[name] !== undefined) throw new Failure(`there is a ${name} already`, { code: 'files' });
    const file = plan.files.find((each) =>
      each.before?.split('\n').some((line) => line.startsWith(`${name}=`)),
    );
    if (file !== undefined)
      throw new Failure(
        `${file.path} has a line ${name} already: remove it, if it is of an accept that was broken off`,
        { code: 'files' },
      );
  }
  const written = new Map([...plan.files.map((file) => [file.path, file.after] as const), [path, after]]);
  const reading = (name: string): string => written.get(name) ?? readFile(name);
  const { consortium, fileHash } = checkedFile({ ...env, ...plan.variables }, reading);
  return { change: { path, before, after }, consortium, fileHash };
}

/**
 * Stops at what lets a library do harm as soon as it is in the file: with an agreement it is a home of others at once, and observing only keeps copies out of
 * its own Koha. Throws Failure.
 */
async function checkHome(
  { entry }: LibraryPlan,
  { consortium }: ReturnType<typeof checkWith>,
  { anyCards, untried }: { readonly anyCards: boolean; readonly untried: boolean },
  deps: CliDeps,
): Promise<void> {
  const { id } = entry;
  const odd = configWarnings(consortium).find(
    ({ path, libraries }) => path.endsWith('.cards') && libraries.includes(id),
  );
  if (odd !== undefined && !anyCards)
    throw new Failure(
      `${odd.path}: ${odd.warning} (--any-cards, where this is meant; else let ${id} send other patterns: passport library requests --discard ${id})`,
      { code: 'cards' },
    );
  const library = consortium.libraries.find((each) => each.id === id);
  const hiding = library?.cards.map(patternOf).find((pattern) => !isComparable(pattern));
  if (hiding !== undefined && !anyCards)
    throw new Failure(
      `of cards: ${hiding.source} cannot be compared with the patterns of other members: it looks around or back, or fits cards of too many forms (--any-cards, where you know whose cards it fits)`,
      { code: 'cards' },
    );
  if (untried || library === undefined) return;
  const tried = await withKohas([library], deps, (kohaOf) => attempt(kohaOf(id).visiblePatrons()));
  if ('error' in tried)
    throw new Failure(
      `the Koha of ${id} was tried: ${tried.error.message} (--untried, where it cannot be reached yet: until it can, each card that may be of ${id} goes without an answer at every desk)`,
      { code: 'untried' },
    );
}

/** Of the Debian package. */
const RESTART = [
  'systemd hands secrets over at the start of a process:',
  "$ sudo systemctl restart 'patron-passport-worker@*' patron-passport-receiver && sudo passport config reload",
];

function printPlan(
  { entry, files }: LibraryPlan,
  { change, consortium }: ReturnType<typeof checkWith>,
  { config: { path } }: OpenJoining,
  { line, progress }: Report,
): void {
  line(`to ${path}:`);
  for (const text of renderLibrary(entry).trimEnd().split('\n')) line(`  ${text}`);
  line('secrets:');
  for (const file of files) line(`  ${file.path}`);
  for (const { path: at, warning, libraries } of configWarnings(consortium))
    if (libraries.includes(entry.id)) progress(`warning: ${at}: ${warning}`);
  const isPaired = consortium.agreements
    .all()
    .some(({ home, lending }) => [home, lending].includes(entry.id));
  if (!isPaired) progress(`${entry.id} is in no agreement: add its pairs to agreements in ${change.path}`);
}

/** When an invitation ended: before the file was written, so that somebody may have declined it, or now; unknown where it could not be ended. */
type Ended = 'before' | 'now' | 'unknown';

/** Ends the invitation of a library that is in the file by now, and says what is left to do where that is not as it should be. */
async function endInvitation(
  { invitations, config: { path } }: OpenJoining,
  listed: ListedInvitation,
  { progress }: Report,
): Promise<Ended> {
  const id = listed.library;
  try {
    if (await invitations.end(listed)) return 'now';
  } catch {
    // The library has been accepted and is in the file: it is taken over all the same.
    progress(`${id}: its invitation could not be ended: passport library decline ${id}`);
    return 'unknown';
  }
  progress(
    `${id}: its invitation ended at the same moment, and nothing was reloaded. If it was declined, take its entry out of ${path}; else passport config reload`,
  );
  return 'before';
}

export const libraryAccept = defineCommand({
  summary: 'take a library that asks to join into the configuration',
  description:
    'Takes over what a library asks for by its invitation: writes it behind the other libraries of the configuration file, whose comments and order stay, and its secrets into files of their own, and has every process read ' +
    'them. Shows what it would write; --apply does it. The whole configuration is checked before, as `config check` does it, and the credentials are tried at its Koha. The library observes: its copies begin with ' +
    '`library start`. For those that have an agreement with it, it is a home library at once. --fingerprint is what the library reads to you on the telephone, from its own page: do not copy it from `library requests`. ' +
    'Refused where the id is in the configuration already. Then the invitation is used, and its key destroyed.',
  examples: [
    'passport library accept midland --fingerprint "12345 67890 12345 67890"',
    'passport library accept midland --fingerprint "12345 67890 12345 67890" --apply',
  ],
  argument: ['<library>', 'the id of its invitation'],
  options: {
    fingerprint: required('<digits>', 'what the library reads to you: four groups of five digits'),
    allowPrivate: flag('accept an address of an inner network, and plain http to a host of this machine'),
    anyCards: flag(
      'accept a library without patterns of cards, or with some that cannot be compared with those of others',
    ),
    untried: flag('accept a Koha that cannot be reached yet, without trying it'),
    apply: applyOption(),
  },
  run: (
    { fingerprint, allowPrivate = false, anyCards = false, untried = false, apply = false },
    [id = ''],
    report,
    deps,
  ) =>
    withInvitations(deps, async (open): Promise<0 | 1> => {
      if (!/^\d{20}$/.test(digitsOf(fingerprint)))
        throw new WrongUse('--fingerprint must have four groups of five digits');
      const listed = await findInvitation(open.invitations, id);
      if (open.consortium.libraries.some((library) => library.id === id))
        throw new Failure(`${id} is in the configuration already: nobody can take its place`, {
          code: 'exists',
        });
      const asked = await readAsked(open, listed, fingerprint, allowPrivate, deps);
      const store = storeOf(open.config, deps);
      const cardsSharedWith = open.consortium.libraries
        .filter((library) => library.cardsSharedWith.includes(id))
        .map((library) => library.id);
      const plan = planLibrary(listed, cardsSharedWith, asked.request, asked.secrets, store);
      const checked = checkWith(plan, open, deps);
      printPlan(plan, checked, open, report);
      await checkHome(plan, checked, { anyCards, untried }, deps);
      let ended: Ended = 'now';
      if (apply) {
        // Operators had time meanwhile to decline it, or to accept it elsewhere.
        const waiting = await open.invitations.open(listed);
        if (digitsOf(waiting?.fingerprint ?? '') !== digitsOf(fingerprint))
          throw new Failure(
            `the request of ${id} was declined, withdrawn or accepted meanwhile: nothing was written`,
            { code: 'no_request' },
          );
        deps.changeFiles([...plan.files, checked.change]);
        const audit = openAudit(deps, 'join_accept', 'library accepted by an operator');
        audit({ library: id, config: checked.fileHash });
        report.line(`${id}: accepted; it observes until passport library start ${id}`);
        ended = await endInvitation(open, listed, report);
      } else report.progress('this is the plan: nothing was changed; --apply does it');
      const isRestarted = store.kind === 'lines';
      const isTaken = apply && ended !== 'before';
      const loaded = isTaken && !isRestarted ? await takeOver(open, checked.fileHash, report, deps) : null;
      if (isTaken && isRestarted) for (const line of RESTART) report.progress(line);
      const files = [...plan.files, checked.change].map(({ path }) => path);
      report.json({ library: id, applied: apply, loaded, entry: plan.entry, files });
      return loaded === false || ended !== 'now' ? 1 : 0;
    }),
});
