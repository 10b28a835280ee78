import type { Consortium } from '@passport/config';
import type { Report } from '../../program/report.ts';

/** Warns a person who ends the copies of a library of which new ones are made all the time. */
export function warnOfAgreements({ agreements }: Consortium, of: string, { progress }: Report): void {
  if (agreements.lendersOf(of).size === 0) return;
  progress(`${of} still has agreements: until they end, every scan makes a new copy`);
}
