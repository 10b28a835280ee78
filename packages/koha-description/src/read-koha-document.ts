import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The file that refers to all others, in a checkout of Koha. */
const IN_CHECKOUT = 'api/v1/swagger/swagger.yaml';

/** Koha's `item.yaml` has a key twice, which strict readers refuse; the last one counts, as in Koha's own reader. */
const read = (text: string): unknown => parse(text, { uniqueKeys: false });

/**
 * Reads Koha's own description (Swagger 2.0, YAML or JSON) from one file, or from a checkout of Koha, whose many files
 * become one document with local references only. Throws when the place has none: a wrong path must not pass for a
 * machine without a description.
 */
export async function readKohaDocument(place: string): Promise<unknown> {
  if (!statSync(place).isDirectory()) return read(readFileSync(place, 'utf8'));
  const { bundle } = await import('@apidevtools/json-schema-ref-parser');
  const yaml = { canParse: ['.yaml'], parse: (file: { data: unknown }) => read(String(file.data)) };
  return bundle(join(place, IN_CHECKOUT), { parse: { yaml }, resolve: { http: false } });
}
