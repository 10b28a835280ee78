import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeKoha, type CheckedExchange, type Exchange } from '../../src/index.ts';

const root = resolve(fileURLToPath(import.meta.url), '../../../../..');
export const descriptionFile = resolve(root, '../shared/koha/openapi/koha-subset.yaml');

/** Koha's own description, or null on a machine that does not have it. */
export const kohaDescription = describeKoha(descriptionFile);

let unchecked = 0;

/** Throws when an answer does not fit Koha's description, or an accepted request does not. */
export function judge(exchange: Exchange): CheckedExchange | null {
  if (kohaDescription === null) {
    unchecked += 1;
    return null;
  }
  return kohaDescription.check(exchange);
}

/** Says aloud what could not be checked; silent where everything was. */
export function reportUnchecked(): void {
  if (kohaDescription !== null) return;
  process.stderr.write(`SKIPPED: ${unchecked} exchanges not checked, no ${descriptionFile}\n`);
  unchecked = 0;
}
