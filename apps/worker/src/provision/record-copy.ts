import { FIELD_GROUPS } from '@passport/contract';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { RESTRICTED, carriedText, writtenValues } from '@passport/patron-rules';
import type { WrittenCopy } from '../koha/copy-memory.ts';
import type { ProvisionContext } from './context.ts';
import type { CopyOrder } from './copy-order.ts';
import type { CopyOutcome, CopyThere } from './result.ts';
import type { Scan } from './scan.ts';

/** Writes a receipt, dated now, for as long as the consortium keeps them; once for each event and patron. */
export async function appendReceipt(
  receipt: Omit<DisclosureReceipt, 'at'>,
  { consortium, receipts, now }: Pick<ProvisionContext, 'consortium' | 'receipts' | 'now'>,
): Promise<void> {
  const at = new Date(now()).toISOString();
  await receipts.append({ at, ...receipt }, now(), consortium.retention.receiptsMs);
}

/** Records the outcome of a copy, whatever becomes of the checkout: in the audit and in the metrics. */
export function recordCopy(
  scan: Scan,
  order: CopyOrder,
  result: CopyOutcome,
  { audit, copied, now }: Pick<ProvisionContext, 'copied' | 'now'> & CopyAudit,
): void {
  audit.copied(scan, order, result);
  if (result.kind === 'there' && result.made.outcome === 'COPIED')
    copied(scan.lending, now() - scan.wantedMs);
}

/** Remembers what the copy holds of what this run has written: `isRestricted`, whether that is the order's restriction, too. */
export function rememberCopy(
  order: CopyOrder,
  result: CopyThere,
  isRestricted: boolean,
  { remember, consortium }: Pick<ProvisionContext, 'remember' | 'consortium'>,
): void {
  const values = valuesWritten(order, result, isRestricted);
  if (values === null) return;
  const { lending, eventId, homeKey, goodAt } = order;
  const { made } = result;
  const standing = made.disclosed === null || goodAt === null ? {} : { goodAt };
  const home = homeKey.slice(0, homeKey.indexOf(':'));
  const name = consortium.libraries.find(({ id }) => id === home)?.name ?? home;
  // Also where another run of this event has found what it had sent: the plugin tells a patron once.
  const told = made.disclosed === null ? {} : { made: { home: name, groups: groupsIn(values) } };
  const copy = { lending, eventId, patronId: made.patron_id, homeKey, values };
  remember({ ...copy, ...standing, ...told });
}

/** The groups of the fields that went there with a value, beside the card. */
const groupsIn = (values: WrittenCopy['values']): readonly string[] => [
  'card',
  ...Object.entries(FIELD_GROUPS).flatMap(([group, fields]) =>
    fields.some((field) => (values[field] ?? '') !== '') ? [group] : [],
  ),
];

interface CopyAudit {
  readonly audit: Pick<ProvisionContext['audit'], 'copied'>;
}

/** A copy that this event made holds what was sent; in one that was there, the card, the home key or the restriction can be new. */
function valuesWritten(
  { body, agreed, carried }: CopyOrder,
  { made: { disclosed, reasons } }: CopyThere,
  isRestricted: boolean,
): WrittenCopy['values'] | null {
  const restricted = carried !== null && isRestricted ? { [RESTRICTED]: carriedText(carried) } : {};
  if (disclosed !== null) return { ...writtenValues(body, agreed), ...restricted };
  const isChanged = isRestricted || reasons.includes('REKEYED') || reasons.includes('CARD_CHANGED');
  // Also one that it had: by its card a refresh knows whose copy it is.
  return isChanged ? { cardnumber: body.cardnumber, ...restricted } : null;
}
