import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeKoha, type CheckedExchange } from '@passport/koha-description';
import { releases, type Exchange, type Release } from '../../src/index.ts';

/** Where Koha's own description is: CONTRIBUTING.md. */
export const descriptionPlace = process.env['KOHA_OPENAPI'];

/** Koha's own description, or null on a machine that does not have it. */
export const kohaDescription = await describeKoha(descriptionPlace);

/** The release of a checkout of Koha; undefined for a file, which may be put together from several. */
export function describedRelease(place: string): Release | undefined {
  const perl = join(place, 'Koha.pm');
  const version = existsSync(perl) ? /\$VERSION = "(\d\d\.\d\d)/.exec(readFileSync(perl, 'utf8'))?.[1] : '';
  return releases.findLast((release) => release <= (version ?? ''));
}

let unchecked = 0;

/** Throws when an answer does not fit Koha's description, or an accepted request does not. */
export function checkExchange(exchange: Exchange): CheckedExchange | null {
  if (kohaDescription === null) {
    unchecked += 1;
    return null;
  }
  return kohaDescription.check(exchange);
}

/** Says aloud what could not be checked; silent where everything was. */
export function reportUnchecked(): void {
  if (kohaDescription !== null) return;
  process.stderr.write(`SKIPPED: ${unchecked} exchanges not checked, KOHA_OPENAPI is not set\n`);
  unchecked = 0;
}
