import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { senderConfig } from '@passport/config';
import type { EventState } from '@passport/contract';
import { describeState } from './events/describe-state.ts';
import { buildReceiverClient, type ReceiverClient } from '../connect/receiver-client.ts';
import {
  branchOf,
  cardFromInput,
  type CliDeps,
  defineCommand,
  durationOf,
  findLibrary,
  flag,
  localTimestamp,
  onlyInput,
  parsed,
  parsedOr,
  readLines,
  required,
  optional,
} from '../program/index.ts';

export function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InvalidArgumentError('It is not an http or https URL.');
  return text.replace(/\/+$/, '');
}

function buildEvent(card: string, item: string | undefined, branch: string, nowMs: number) {
  return {
    type: 'patron.not_found',
    timestamp: localTimestamp(nowMs),
    data: {
      cardnumber: card,
      branch,
      ...(item === undefined ? {} : { item_barcode: item }),
      interface: 'api',
    },
  };
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

const isOver = ({ state }: EventState): boolean => state === 'done' || state === 'failed';

/**
 * Reads the state of an event until it has ended, and reports each change once. Returns the last state seen, which has not ended when
 * `forMs` is over or the person has interrupted; null when none was seen.
 */
export async function followEvent(
  receiver: Pick<ReceiverClient, 'read'>,
  eventId: string,
  { forMs, report }: { readonly forMs: number; readonly report: (state: EventState) => void },
  { now, signal }: Pick<CliDeps, 'now' | 'signal'>,
): Promise<EventState | null> {
  const endsAt = now() + forMs;
  let last: EventState | null = null;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const state = await receiver.read(eventId);
    if (state !== null && state.seq !== last?.seq) report(state);
    last = state ?? last;
    if ((last !== null && isOver(last)) || now() >= endsAt || signal.aborted) return last;
    await sleep(Math.min(pauseMs, Math.max(0, endsAt - now())), undefined, { signal }).catch(() => undefined);
  }
}

export const sendEvent = defineCommand({
  summary: 'sign and send a real event',
  description:
    "Sends the scan of an unknown card to the receiver, signed as the library's Koha would sign it. The event is real: the patron is " +
    'copied, and the item is checked out. To write nothing, use `explain`. ' +
    'Card and item are read from standard input, so that they appear in no process list and no shell history.',
  examples: [
    'passport send --at riverside --card - --wait          (type the card, then Enter)',
    'passport send --at riverside --card - --item - --wait --json < card-and-item.txt',
  ],
  options: {
    at: required('<library>', 'the lending library, in whose name the event is signed'),
    card: cardFromInput(),
    item: onlyInput(
      'barcode',
      'the item that waits to be checked out: always -, the second line of standard input',
    ),
    branch: optional(
      '<code>',
      "the branch of the scan; default: the fixed branch of the library's copies, or MAIN",
    ),
    receiver: parsed('<url>', 'the receiver; default: PASSPORT_RECEIVER, or http://127.0.0.1:8080', parseUrl),
    wait: flag('follow the event to its outcome'),
    for: parsedOr('<duration>', 'how long to follow it', durationOf, [120_000, '2m']),
  },
  run: async (given, _args, report, deps) => {
    const { consortium, receiverUrl } = senderConfig(deps.env, deps.readFile);
    const library = findLibrary(consortium, given.at);
    const receiver = buildReceiverClient(given.receiver ?? receiverUrl, library, deps);
    const fromInput = given.item === undefined ? ['card'] : ['card', 'item barcode'];
    const [card = '', item] = await readLines(deps, fromInput);
    const event = buildEvent(card, item, given.branch ?? branchOf(library), deps.now());
    const { eventId, answer } = await receiver.send(deps.newId(), event);
    report.line(`${answer}: ${eventId}`);
    if (given.wait !== true) {
      report.json({ library: library.id, event_id: eventId, answer });
      return 0;
    }
    const steps: EventState[] = [];
    const show = (state: EventState) => {
      steps.push(state);
      report.line(describeState(state, report.colors));
    };
    const last = await followEvent(receiver, eventId, { forMs: given.for, report: show }, deps);
    report.json({ library: library.id, event_id: eventId, answer, state: last, steps });
    const ended = last?.state === 'done' || last?.state === 'failed';
    if (!ended)
      report.progress(`not ended yet; follow it with: passport events show ${eventId} --at ${library.id}`);
    return last?.state === 'done' ? 0 : 1;
  },
});
