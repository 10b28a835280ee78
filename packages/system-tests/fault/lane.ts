import type { EventState } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import type { ReceiverClient } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import type { Trouble } from './faults.ts';
import type { WorkflowCall } from './workflow-calls.ts';

/** Two libraries of one cell's own, so that all cells can run at the same time. */
export interface Lane {
  readonly home: KohaDouble;
  readonly lending: KohaDouble;
  readonly receiver: ReceiverClient;
}

/** A cell that is ready to go: its event is sent by `scan`. */
export interface Cell {
  readonly call: WorkflowCall;
  readonly trouble: Trouble;
  readonly lane: Lane;
  readonly card: string;
  readonly barcode: string;
  /** The patron's number at home. */
  readonly homePatron: number;
}

/** Sets the scene of a call and has it go wrong once. */
export function prepareCell(call: WorkflowCall, trouble: Trouble, lane: Lane): Cell {
  const { home, lending } = lane;
  const card = registerPatron(home);
  const homePatron = home.state(card).patrons[0]?.patron_id ?? 0;
  const isCharged = call.scene === 'charge';
  if (isCharged) lending.putSettings({ RentalFeesCheckoutConfirmation: '1' });
  const barcode = shelveBook(lending, isCharged ? { rental_charge: 2 } : {});
  const cell = { call, trouble, lane, card, barcode, homePatron };
  if (call.scene === 'there') putCopy(cell, card);
  if (call.scene === 'old card') putCopy(cell, 'OLD-1');
  if (call.scene === 'lost checkout') {
    lending.addFaults([{ operation: 'POST /checkouts', kind: 'reset_after' }]);
  }
  (call.at === 'home' ? home : lending).addFaults([{ operation: call.operation, ...trouble.fault }]);
  return cell;
}

/** Our copy of the patron, as an earlier event has made it. */
function putCopy({ lane, card, homePatron }: Cell, withCard: string): void {
  const { home, lending } = lane;
  const patron = home.state(card).patrons[0];
  const copied = ['surname', 'firstname', 'email', 'phone', 'address', 'city', 'postal_code', 'country'];
  lending.putPatron(withCard, {
    ...Object.fromEntries(copied.map((name) => [name, patron?.[name]])),
    date_of_birth: patron?.['date_of_birth'],
    expiry_date: '2037-12-31',
    category_id: 'PT',
    library_id: 'MAIN',
    extended_attributes: [
      { type: 'PASSPORTED', value: home.library },
      { type: 'PASSPORTED_ID', value: `${home.library}:${homePatron}` },
    ],
  });
}

/** Sends the event of a cell and returns its id. */
export async function scan({ lane, card, barcode }: Cell): Promise<string> {
  const answer = await lane.receiver.scan({ cardnumber: card, item_barcode: barcode });
  if (answer.status !== 202) throw new Error(`the receiver answered ${answer.status}`);
  return answer.eventId;
}

/** Whether the call of a cell has met its trouble. */
export function hasMetTrouble({ call, lane }: Cell): boolean {
  return !(call.at === 'home' ? lane.home : lane.lending)
    .faultsLeft()
    .some(({ operation }) => operation === call.operation);
}

/** What is not as promised at the end of a cell; empty when all is right. */
export function wrongsOf(cell: Cell, state: EventState): string[] {
  const { lending } = cell.lane;
  const wrongs: string[] = [];
  const report = lending.state().outcomes.find(({ event_id: id }) => id === state.event_id);
  if (report?.seq !== state.seq) wrongs.push(`reported to the desk: ${JSON.stringify(report ?? null)}`);
  const checkouts = lending.state().checkouts;
  if (checkouts.length > 1 || checkouts.some(({ renewals_count: times }) => times > 0))
    wrongs.push('a second checkout');
  if (!hasMetTrouble(cell)) wrongs.push('the call was never made');
  return [...wrongs, ...wrongsOfCopy(cell, state), ...wrongsOfEnd(state, checkouts.length)];
}

function wrongsOfCopy({ lane, card, homePatron }: Cell, state: EventState): string[] {
  const { home, lending } = lane;
  const original = home.state(card).patrons[0];
  const copies = lending.state().patrons.filter(({ surname }) => surname === original?.surname);
  if (state.outcome === 'MISCONFIGURED') return copies.length === 0 ? [] : ['a copy in spite of the failure'];
  const [copy] = copies;
  if (copy === undefined || copies.length > 1) return [`${copies.length} copies`];
  const wrongs: string[] = [];
  const marks = copy.extended_attributes.map(({ type, value }) => `${type}=${value}`).join(' ');
  if (marks !== `PASSPORTED=${home.library} PASSPORTED_ID=${home.library}:${homePatron}`) {
    wrongs.push(`the copy is marked ${marks === '' ? 'not at all' : marks}`);
  }
  const expected = { cardnumber: card, category_id: 'PT', library_id: 'MAIN' };
  for (const [name, value] of Object.entries(expected)) {
    if (copy[name] !== value) wrongs.push(`${name} of the copy`);
  }
  for (const name of ['firstname', 'email', 'address', 'city', 'date_of_birth', 'expiry_date']) {
    if (copy[name] !== original?.[name]) wrongs.push(`${name} of the copy`);
  }
  return wrongs;
}

function wrongsOfEnd({ outcome, problem, checkout }: EventState, checkouts: number): string[] {
  switch (outcome) {
    case 'COPIED':
    case 'ALREADY_LOCAL': {
      const isCheckedOut = checkout?.result === 'CHECKED_OUT' || checkout?.result === 'ALREADY_CHECKED_OUT';
      return isCheckedOut && checkouts === 1
        ? []
        : [`checkout ${checkout?.result ?? 'none'}, ${checkouts} checkouts`];
    }
    case 'MISCONFIGURED':
      return problem?.what === 'credentials' ? [] : [`a failure that names ${JSON.stringify(problem)}`];
    default:
      return [`it ended ${outcome ?? 'not at all'}`];
  }
}
