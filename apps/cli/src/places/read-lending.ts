import type { Consortium, Library } from '@passport/config';
import { KohaError, type KohaPatron } from '@passport/koha-client';
import { isCopy, passportTypes } from '@passport/patron-rules';
import type { OpenKoha } from '../connect/koha-clients.ts';

/** A record with a home key at a lending library: names of fields, and none of their values. */
export interface FoundRecord {
  readonly homeKey: string;
  /** Koha's number there. */
  readonly patronId: number;
  /** `released`: it has the home key and no passport any more, so it is the lending library's own patron. */
  readonly kind: 'copy' | 'anonymized' | 'released';
  readonly enrolledOn: string | null;
  readonly expiresOn: string | null;
  /** Koha's names of the fields that are filled. */
  readonly fields: readonly string[];
}

/** What a lending library's Koha shows. */
export type LendingRead =
  /** `seesAll`: the API user sees the patrons of all branches, so who is not found is not there. */
  | { readonly kind: 'read'; readonly records: readonly FoundRecord[]; readonly seesAll: boolean }
  | { readonly kind: 'not_read'; readonly why: NotRead };

/** Why a lending library was not read. */
export type NotRead = 'no_answer' | 'refused' | 'disabled' | 'no_home_keys' | 'not_configured';

/** Which records are wanted: those with one home key, or with any that begins so. */
export type Wanted = { readonly homeKey: string } | { readonly prefix: string };

/** Reads the records with these home keys at a lending library. Writes nothing, there or anywhere. */
export async function readLending(
  consortium: Consortium,
  lending: Library,
  wanted: Wanted,
  { koha, signal }: { readonly koha: OpenKoha; readonly signal: AbortSignal },
): Promise<LendingRead> {
  const type = lending.copy.homeKeyAttribute;
  if (!lending.enabled) return { kind: 'not_read', why: 'disabled' };
  if (type === null) return { kind: 'not_read', why: 'no_home_keys' };
  const types = passportTypes(consortium);
  try {
    const { patrons, complete } =
      'homeKey' in wanted
        ? await readByHomeKey(koha, type, wanted.homeKey, signal)
        : await listByPrefix(koha, type, wanted.prefix, signal);
    const records = patrons.flatMap((patron) => recordsOf(patron, type, wanted, types));
    return { kind: 'read', records, seesAll: complete && (await seesAllBranches(koha, signal)) };
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    return { kind: 'not_read', why: error.retryable ? 'no_answer' : 'refused' };
  }
}

/** `complete`: no row was hidden or could not be read. */
interface PatronsRead {
  readonly patrons: readonly KohaPatron[];
  readonly complete: boolean;
}

/** A search by attribute can show that attribute alone (23.11): each record is read by its number. */
async function readByHomeKey(
  koha: OpenKoha,
  type: string,
  homeKey: string,
  signal: AbortSignal,
): Promise<PatronsRead> {
  const found = await koha.findByAttribute(type, homeKey, { signal });
  const patrons: KohaPatron[] = [];
  for (const { patronId } of found) {
    const patron = await koha.readPatron(patronId, { signal });
    if (patron !== null) patrons.push(patron);
  }
  return { patrons, complete: patrons.length === found.length };
}

/** Page by page; on 23.11 a page can lack attributes of other types, so that its records are read again by their numbers. */
async function listByPrefix(
  koha: OpenKoha,
  type: string,
  prefix: string,
  signal: AbortSignal,
): Promise<PatronsRead> {
  const patrons: KohaPatron[] = [];
  let complete = true;
  for await (const page of koha.listCopies({ type, prefix }, { signal })) {
    const ids = page.patrons.map(({ patronId }) => patronId);
    const read = await koha.readPatrons(ids, {}, { signal });
    patrons.push(...read.patrons);
    const isHidden = page.rows > ids.length + page.unreadable.length;
    if (isHidden || page.unreadable.length > 0 || read.patrons.length < ids.length) complete = false;
  }
  return { patrons, complete };
}

function recordsOf(
  patron: KohaPatron,
  type: string,
  wanted: Wanted,
  types: ReadonlySet<string>,
): FoundRecord[] {
  const keys = (patron.attributes ?? [])
    .filter((each) => each.type === type)
    .map(({ value }) => value?.trim() ?? '')
    .filter((key) =>
      'homeKey' in wanted ? key === wanted.homeKey : key !== '' && key.startsWith(wanted.prefix),
    );
  const kind = patron.anonymized === true ? 'anonymized' : isCopy(patron, types) ? 'copy' : 'released';
  const fields = Object.entries(patron.fields)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name]) => name);
  return keys.map((homeKey) => ({
    homeKey,
    patronId: patron.patronId,
    kind,
    enrolledOn: patron.dateEnrolled,
    expiresOn: patron.expiryDate,
    fields,
  }));
}

/** By default an API user sees its own branch only, and Koha answers "nobody" for the others. */
async function seesAllBranches(koha: OpenKoha, signal: AbortSignal): Promise<boolean> {
  const { elsewhere } = await koha.visiblePatrons({ signal });
  return elsewhere || (await koha.branches({ signal })).length === 1;
}
