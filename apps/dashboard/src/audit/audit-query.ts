import { ACTS, type ActName, isActPlace } from '@passport/queue';
import { pathWith, readQuery } from '../shell/query-reader.ts';

/** Which acts the list is to show, as its address says it. */
export interface AuditQuery {
  readonly library: string | null;
  /** An account. */
  readonly by: string | null;
  readonly act: ActName | null;
  /** `YYYY-MM-DDTHH:MM` in UTC. */
  readonly from: string | null;
  readonly until: string | null;
  /** Where the page begins. */
  readonly after: string | null;
}

/** A query, and what in it cannot be understood: the field, and what it takes. */
export interface AuditQueryReading {
  readonly query: AuditQuery;
  readonly problems: readonly string[];
}

const LONGEST_ACCOUNT = 200;

/** Reads the parameters of the list of acts. */
export function readAuditQuery(
  parameters: Readonly<Record<string, unknown>>,
  libraries: readonly string[],
): AuditQueryReading {
  const { problems, text, known, time } = readQuery(parameters);
  const after = text('after');
  const by = text('by');
  const isPlace = after === null || isActPlace(after);
  const isAccount = by === null || by.length <= LONGEST_ACCOUNT;
  const query = {
    library: known('library', libraries, 'no library'),
    by: isAccount ? by : null,
    act: known('act', ACTS, `none of ${ACTS.join(', ')}`),
    from: time('from'),
    until: time('until'),
    after: isPlace ? after : null,
  };
  const faults = [
    ...(isAccount ? [] : ['by is too long for the name of an account.']),
    ...(isPlace ? [] : ['after is no place in this list.']),
  ];
  return { query, problems: [...problems, ...faults] };
}

/** The address of the list for a query, or of a download of it. */
export const auditPath = (basePath: string, query: Partial<AuditQuery>, format: '' | '.csv' | '.json' = '') =>
  pathWith(`${basePath}/audit${format}`, { ...query });
