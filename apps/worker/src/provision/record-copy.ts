import { writtenValues } from '@passport/patron-rules';
import type { WrittenCopy } from '../koha/copy-memory.ts';
import type { Audit } from './audit.ts';
import type { CopyOrder } from './copy-order.ts';
import type { CopyOutcome } from './copy-result.ts';
import type { Scan } from './scan.ts';

/** Records what became of a copy, whatever becomes of the checkout. */
export type RecordCopy = (scan: Scan, order: CopyOrder, result: CopyOutcome) => void;

export interface CopyRecords {
  readonly audit: Pick<Audit, 'copied'>;
  /** A copy was made, so long after its scan, or after the patron's yes. */
  readonly copied: (lending: string, sinceScanMs: number) => void;
  /** Remembers what was written into a copy; nothing waits for it. */
  readonly remember: (written: WrittenCopy) => void;
  readonly now: () => number;
}

/** Records a copy in the audit, in the metrics and in the memory of what copies hold. */
export function buildCopyRecord({ audit, copied, remember, now }: CopyRecords): RecordCopy {
  return (scan, order, result) => {
    audit.copied(scan, order, result);
    if (result.kind === 'copied') copied(scan.lending, now() - scan.wantedMs);
    if (!('made' in result)) return;
    const values = valuesWritten(order, result);
    const { lending, eventId, homeKey } = order;
    const patronId = result.made.patron_id;
    const { formerKey } = result;
    if (values !== null) {
      remember({
        lending,
        eventId,
        patronId,
        homeKey,
        values,
        ...(formerKey === undefined ? {} : { formerKey }),
      });
    }
  };
}

/** A copy that this event made holds what was sent; in one that was there, the card or the home key can be new. */
function valuesWritten(
  { body, agreed }: CopyOrder,
  { kind, made: { disclosed, reasons } }: Extract<CopyOutcome, { made: unknown }>,
): WrittenCopy['values'] | null {
  if (kind === 'copied' || disclosed !== null) return writtenValues(body, agreed);
  if (reasons.includes('CARD_CHANGED')) return { cardnumber: body.cardnumber };
  return reasons.includes('REKEYED') ? {} : null;
}
