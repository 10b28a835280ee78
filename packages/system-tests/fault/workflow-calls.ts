/** What must be so for a call to be made at all. */
export type Scene =
  /** A new patron with a waiting item. */
  | 'new'
  /** Our copy is there already. */
  | 'there'
  /** Our copy is there with an older card. */
  | 'old card'
  /** Koha wants a charge confirmed, and the library lets us. */
  | 'charge'
  /** The answer to the checkout is lost after it was made. */
  | 'lost checkout';

/** One Koha call of the workflow. */
export interface WorkflowCall {
  readonly at: 'home' | 'lending';
  readonly operation: string;
  readonly scene: Scene;
}

const REPORT = 'PUT /contrib/passport/scans/{event_id}/outcome';

/** Every Koha call that the workflow can make, each in the simplest scene that makes it. */
export const WORKFLOW_CALLS: readonly WorkflowCall[] = [
  { at: 'home', operation: 'POST /oauth/token', scene: 'new' },
  { at: 'home', operation: 'GET /patrons', scene: 'new' },
  { at: 'lending', operation: 'GET /', scene: 'new' },
  { at: 'lending', operation: 'POST /oauth/token', scene: 'new' },
  { at: 'lending', operation: 'POST /patrons', scene: 'new' },
  { at: 'lending', operation: 'GET /patrons', scene: 'there' },
  { at: 'lending', operation: 'PUT /patrons/{patron_id}', scene: 'old card' },
  { at: 'lending', operation: 'POST /checkouts', scene: 'new' },
  { at: 'lending', operation: 'GET /items', scene: 'charge' },
  { at: 'lending', operation: 'GET /checkouts/availability', scene: 'charge' },
  { at: 'lending', operation: 'GET /checkouts', scene: 'lost checkout' },
  { at: 'lending', operation: REPORT, scene: 'new' },
];

/** How the row of a call is called. */
export function nameOf({ at, operation }: WorkflowCall): string {
  return `${at} ${operation.replace('/contrib/passport/scans/{event_id}', '…')}`;
}
