import { LONGEST_KEPT_DAYS } from '@passport/contract';
import * as z from 'zod';
import { duration, flag } from './leaf-schemas.ts';

export const locateSection = z.strictObject({
  strict: flag('True: even after a match, wait for the libraries that did not answer.'),
  patterns_decide: flag(
    'True: query the libraries whose card patterns match first, and those without patterns only after all of them have answered "not found". Use it only if no two libraries share a number range.',
  ),
});

export const retentionSection = z.strictObject({
  finished: duration('1s', `${LONGEST_KEPT_DAYS}d`, 'How long finished events are kept.'),
  failed: duration('1s', `${LONGEST_KEPT_DAYS}d`, 'How long failed events are kept.'),
  receipts: duration('1h', '3650d', 'How long receipts of disclosures are kept.'),
  audit: duration(
    '1h',
    '3650d',
    'How long the audit view (`passport audit`, the dashboard) keeps what was done, with the names of staff accounts; of each account the newest 5,000 acts and 1,000 refused writes, of the service 20,000, and 5,000 refused log-ins.',
  ),
});
