import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, warning } from './finding.ts';

/** The receiver refuses what is further off (docs/integrating.md: 401, reason `clock`). */
const REFUSED_SECONDS = 300;
const WARNING_SECONDS = 60;

/** Whether this Koha's clock agrees with ours. */
export function checkClock({ isLending }: Examinee, { clockAheadMs }: Facts): Finding[] {
  if (clockAheadMs === null) return [];
  const seconds = Math.round(Math.abs(clockAheadMs) / 1000);
  if (seconds <= WARNING_SECONDS) return [];
  const problem = `the clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  const remedy = "on the server whose clock is wrong, this one or Koha's: timedatectl set-ntp true";
  if (seconds <= REFUSED_SECONDS || !isLending) return [warning('clock_off', problem, remedy)];
  return [fault('clock_off', `${problem}: the receiver refuses its events`, remedy)];
}
