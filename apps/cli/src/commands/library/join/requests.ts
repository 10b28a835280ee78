import { parseJoinRequest, type JoinRequest, readPastedRequest } from '@passport/contract';
import { type JoinTaken, type ListedInvitation, takeJoinRequest } from '@passport/queue/joining';
import { DecryptionError, timeText } from '@passport/runtime';
import { openAudit } from '../../../program/open-audit.ts';
import {
  type CliDeps,
  defineCommand,
  Failure,
  flag,
  nameRows,
  optional,
  type Report,
  WrongUse,
} from '../../../program/index.ts';
import { faultOfAddress } from './inside-address.ts';
import { invitationJson } from './invitations.ts';
import { findInvitation, type OpenJoining, withInvitations } from './with-invitations.ts';

/** A pasted request is about 11,000 characters at most, and a mail program may break its lines. */
const LONGEST_PASTE = 32_768;

async function readPaste({ stdin, err }: CliDeps): Promise<string> {
  if (stdin.isTTY === true) err('the text of the request, then Ctrl-D: ');
  let text = '';
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > LONGEST_PASTE) break;
  }
  const envelope = text.length > LONGEST_PASTE ? null : readPastedRequest(text);
  if (envelope === null)
    throw new WrongUse('standard input has no request: it begins with passport-join-request.');
  return envelope;
}

function failureOf(taken: Exclude<JoinTaken, { kind: 'taken' }>): Failure {
  switch (taken.kind) {
    case 'not_found':
      return new Failure(
        'the request is of no open invitation: its invitation has ended, or the text was altered',
        { code: taken.kind },
      );
    case 'request_pending':
      return new Failure(
        'another request waits at this invitation (passport library requests): accept, decline or discard it first',
        { code: taken.kind },
      );
    case 'request_discarded':
      return new Failure('this request was discarded before', { code: taken.kind });
    case 'invalid_field':
      return new Failure(`the request does not fit: ${taken.field} ${taken.problem}`, { code: taken.kind });
    default:
      return taken satisfies never;
  }
}

async function paste({ invitations }: OpenJoining, report: Report, deps: CliDeps): Promise<void> {
  const taken = await takeJoinRequest(invitations, await readPaste(deps), null);
  if (taken.kind !== 'taken') throw failureOf(taken);
  const { library, isNew } = taken;
  if (isNew) openAudit(deps, 'join_request', 'request to join, by hand')({ library });
  report.progress(`${library}: ${isNew ? 'its request is here' : 'its request was here already'}`);
}

async function discard(
  { invitations }: OpenJoining,
  id: string,
  report: Report,
  deps: CliDeps,
): Promise<void> {
  const discarded = await invitations.discard(await findInvitation(invitations, id));
  if (discarded === 'none') throw new Failure(`no request of ${id} waits`, { code: 'no_request' });
  if (discarded === 'too_often')
    throw new Failure(`too many requests of ${id} were discarded: decline it, and invite it anew`, {
      code: discarded,
    });
  openAudit(deps, 'join_discard', 'request to join discarded by an operator')({ library: id });
  report.progress(`${id}: its request is discarded, and it may ask again`);
}

/** A waiting request and what it says; null where it cannot be read, which `accept` explains, or no key opens it. */
interface Read {
  readonly listed: ListedInvitation;
  readonly request: JoinRequest | null;
  readonly isLocked: boolean;
}

async function readRequest({ invitations }: OpenJoining, listed: ListedInvitation): Promise<Read> {
  try {
    const opened = await invitations.open(listed);
    const parsed = opened === null ? null : parseJoinRequest(opened.body);
    return { listed, request: parsed?.kind === 'request' ? parsed.request : null, isLocked: false };
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    return { listed, request: null, isLocked: true };
  }
}

function* linesOf(
  { listed, request: asked, isLocked }: Read,
  nowMs: number,
  width: number,
): Iterable<string> {
  const { library, name, request } = listed;
  if (request === null) return;
  const rows: [name: string, text: string][] = [
    ['fingerprint', request.fingerprint],
    ['received', timeText(request.receivedMs, nowMs)],
  ];
  if (asked !== null) {
    const { koha, copy, cards } = asked;
    const fault = faultOfAddress(koha.url);
    rows.push(
      ['Koha', `${koha.url}${fault === null ? '' : ` (${fault})`}`],
      ['versions', `Koha ${koha.version}, plugin ${koha.plugin}; branches: ${koha.branches}`],
      ['copies', `${copy.category}, ${copy.passport_attribute}, ${copy.home_key_attribute}`],
      ...cards.map((pattern): [string, string] => ['its cards', pattern]),
    );
  }
  yield `${library}: ${name}`;
  for (const text of nameRows(rows, width - 2).flat()) yield `  ${text}`;
  if (isLocked) {
    yield '  It cannot be read: PASSPORT_KEY has none of the keys that its invitation was made with. Invite the library anew:';
    yield `  $ passport library decline ${library}`;
    return;
  }
  yield '  Telephone the library. If it reads the same fingerprint to you:';
  yield `  $ passport library accept ${library} --fingerprint "WHAT IT READS"`;
}

export const libraryRequests = defineCommand({
  summary: 'list the requests to join, or take one that was sent by mail',
  description:
    'Lists the requests that wait for an operator: which library asks by which invitation, and the fingerprint that its staff see on their page. Compare it by telephone: ' +
    'where they see another one, or have not sent anything, somebody else has the link (`library decline`). --paste reads the text that a library without a network path to the receiver ' +
    'has sent by other means. --discard takes a request away and keeps the invitation, so that the library can ask again.',
  examples: [
    'passport library requests',
    'passport library requests --paste < request.txt',
    'passport library requests --discard midland',
    "passport library requests --json | jq '.requests'",
  ],
  options: {
    paste: flag('read a request from standard input', ['discard']),
    discard: optional('<library>', 'discard the request of this library'),
  },
  run: ({ paste: isPasted, discard: discarded }, _args, report, deps) =>
    withInvitations(deps, async (open): Promise<0> => {
      if (isPasted === true) await paste(open, report, deps);
      if (discarded !== undefined) await discard(open, discarded, report, deps);
      const listed = (await open.invitations.list()).filter(({ request }) => request !== null);
      const nowMs = await open.now();
      const requests = await Promise.all(listed.map((each) => readRequest(open, each)));
      report.json({
        requests: requests.map(({ listed: each, request }) => {
          const { sealed: _sealed, invitation: _invitation, ...asked } = request ?? {};
          return { ...invitationJson(each), ...asked };
        }),
      });
      if (requests.length === 0) report.line('no requests');
      for (const request of requests)
        for (const line of linesOf(request, nowMs, report.width)) report.line(line);
      return 0;
    }),
});
