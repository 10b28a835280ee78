import * as z from 'zod';
import { parseRefusal } from '../errors/refusal.ts';
import { bodyOf } from '../errors/failure-of.ts';
import { afterSent } from '../errors/quote-answer.ts';
import { boundedList } from '../answers/json-body.ts';
import { type CallOptions, type Session, readFromPlugin, withDeadline } from '../transport/session.ts';

/** The plugin's own limit of a page. */
const ROWS_A_PAGE = 200;
const MOST_FIELDS = 100;
const MOST_RESTRICTIONS = 100;

const fieldSchema = z.object({
  hash: z.string().regex(/^[\w-]{6}:[\w-]{43}$/),
  at: z.number().int().min(0),
  event: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
});
const standingSchema = z
  .object({
    is_good: z.boolean(),
    reasons: boundedList(z.string().regex(/^[A-Z_]{1,40}$/), 20),
    home_name: z.string().max(200),
  })
  .transform(({ is_good: isGood, home_name: homeName, reasons }) => ({ isGood, reasons, homeName }));
const rowSchema = z
  .object({
    patron_id: z.number().int().positive(),
    version: z.number().int().positive(),
    home_key: z.string().min(1).max(255),
    fields: z
      .record(z.string().max(64), fieldSchema)
      .refine((fields) => Object.keys(fields).length <= MOST_FIELDS),
    restricted_at: boundedList(z.string().max(64), MOST_RESTRICTIONS),
    standing_at: boundedList(z.string().max(64), MOST_RESTRICTIONS),
    standing: standingSchema.nullable(),
  })
  .transform(({ patron_id: patronId, home_key: homeKey, ...row }) => {
    const { restricted_at: restrictedAt, standing_at: standingAt, ...others } = row;
    return { patronId, homeKey, restrictedAt, standingAt, ...others };
  });
const pageSchema = z.object({ copies: boundedList(rowSchema, ROWS_A_PAGE) });
const storedSchema = z.object({ version: z.number().int().positive() });

/** What the service wrote into one field of a copy: a keyed hash of the value, when (seconds since 1970), by which event. */
export type RememberedField = z.infer<typeof fieldSchema>;

/** What a lending library is told of the standing of a copy's patron at home: codes, no amounts. */
export interface Standing {
  readonly isGood: boolean;
  /** Codes of the contract; empty also where the library does not want its desks to see them. */
  readonly reasons: readonly string[];
  /** The name of the home library. */
  readonly homeName: string;
}

/** What the lending library may tell the patron of a copy that was made: the name of the home library, and which groups of fields went there. */
export interface MadeCopy {
  readonly home: string;
  readonly groups: readonly string[];
}

/** What the service stores of one copy. `version` grows with each change; 0 is a row that is not there yet. */
export interface CopyMemoryRow {
  readonly patronId: number;
  readonly version: number;
  readonly homeKey: string;
  readonly fields: Readonly<Record<string, RememberedField>>;
}

/** A row as it is stored. */
export interface StoredCopy extends CopyMemoryRow {
  /** As checked now; null takes away what is there, and without one it stays. */
  readonly standing?: Standing | null;
  /** The copy was made; the plugin tells its patron once, however often that is stored. */
  readonly made?: MadeCopy;
}

/** What the lending Koha's plugin says of one copy. */
export interface RememberedCopy extends CopyMemoryRow {
  /** The home libraries for which the service has restricted the copy, and has not lifted it. */
  readonly restrictedAt: readonly string[];
  /** The same of restrictions for the patron's standing. */
  readonly standingAt: readonly string[];
  /** What it shows at the checkout of the copy; null: nothing. */
  readonly standing: Standing | null;
}

/** Copies by number: those above `after` and not above `upTo`. */
export interface RememberedRange {
  readonly after: number;
  readonly upTo: number;
  /** Which of them are wanted, in order: others may be left out, so that a few among very many need few calls. */
  readonly wanted?: readonly number[];
}

/**
 * Reads what the plugin remembers of the copies with these numbers, all pages under one deadline; a range that holds none takes no
 * call. Null where the Koha has no plugin that can say. Throws KohaError.
 */
export async function readRememberedCopies(
  session: Session,
  { after, upTo, wanted }: RememberedRange,
  options?: CallOptions,
): Promise<readonly RememberedCopy[] | null> {
  // Koha numbers from 1 on, and the plugin's own description refuses less than 0.
  const first = Math.max(0, after);
  if (upTo <= first || wanted?.length === 0) return [];
  const limits = withDeadline(session, options);
  const found: RememberedCopy[] = [];
  for (let last = first; ;) {
    const page = await readPage(session, last, upTo, limits);
    if (page === null) return null;
    found.push(...page);
    const end = page.at(-1)?.patronId ?? upTo;
    const next = wanted === undefined ? end + 1 : (wanted.find((id) => id > end) ?? upTo + 1);
    if (page.length < ROWS_A_PAGE || next > upTo) return found;
    last = next - 1;
  }
}

async function readPage(
  session: Session,
  after: number,
  upTo: number,
  options: CallOptions,
): Promise<RememberedCopy[] | null> {
  const query = { after: String(after), up_to: String(upTo), limit: String(ROWS_A_PAGE) };
  const request = { operation: 'GET /contrib/passport/copies', query } as const;
  let last = after;
  const inOrder = pageSchema.refine(({ copies }) =>
    copies.every(({ patronId }) => patronId > last && patronId <= upTo && (last = patronId)),
  );
  return (await readFromPlugin(session, request, inOrder, options))?.copies ?? null;
}

/** `no_plugin`: this Koha cannot remember. `other_version`: somebody stored the row since it was read. */
export type RememberResult =
  | { readonly kind: 'stored'; readonly version: number }
  | { readonly kind: 'other_version' }
  | { readonly kind: 'no_plugin' };

/**
 * Stores what was written into a copy, on top of the version that was read. Throws KohaError.
 */
export async function rememberCopy(
  session: Session,
  { patronId, homeKey, version, fields, standing, made }: StoredCopy,
  options?: CallOptions,
): Promise<RememberResult> {
  const answer = await session.call(
    {
      operation: 'PUT /contrib/passport/copies/{patron_id}',
      places: { patron_id: patronId },
      json: {
        version,
        home_key: homeKey,
        fields,
        ...(standing === undefined ? {} : { standing: standing && standingJson(standing) }),
        ...(made && { made }),
      },
    },
    options,
  );
  if (answer.status === 409 && parseRefusal(answer) !== null) return { kind: 'other_version' };
  if (answer.status === 404 && parseRefusal(answer) !== null) return { kind: 'no_plugin' };
  if (answer.status !== 200) throw session.failure(answer);
  return { kind: 'stored', version: bodyOf(session.library, answer, storedSchema).version };
}

const standingJson = ({ isGood, reasons, homeName }: Standing) => ({
  is_good: isGood,
  reasons,
  home_name: homeName,
});

/** Notes that the standing of these copies, 200 at most, was checked now and is as it was. Throws KohaError. */
export async function noteChecked(
  session: Session,
  patronIds: readonly number[],
  options?: CallOptions,
): Promise<void> {
  const operation = 'PUT /contrib/passport/copies';
  const answer = await session.call({ operation, json: { checked: patronIds } }, options);
  if (answer.status !== 204) throw session.failure(answer);
}

/** Most tries at a row: another writer may store it between our read and our write. */
const MOST_TRIES = 3;

interface CopyMemory {
  readRememberedCopies(range: RememberedRange): Promise<readonly RememberedCopy[] | null>;
  rememberCopy(row: StoredCopy): Promise<RememberResult>;
}

/**
 * Stores what `change` makes of the fields that a Koha remembers of a copy, with the rest of the row where it is given; `known` is
 * what was read of them, null for nothing. They are read where that is left out, or where somebody else has stored them since. Returns
 * what is stored; null where it was not. Throws KohaError.
 */
export async function storeRemembered(
  koha: CopyMemory,
  of: Omit<StoredCopy, 'version' | 'fields'>,
  change: (before: CopyMemoryRow['fields']) => CopyMemoryRow['fields'],
  known?: CopyMemoryRow | null,
  triesLeft = MOST_TRIES,
): Promise<CopyMemoryRow | null> {
  const { patronId, homeKey } = of;
  const rows =
    known === undefined ? await koha.readRememberedCopies({ after: patronId - 1, upTo: patronId }) : [];
  if (rows === null) return null;
  const row = known ?? rows[0] ?? null;
  const { version } = row ?? { version: 0 };
  const fields = change(row?.fields ?? {});
  const stored = await koha.rememberCopy({ ...of, version, fields });
  if (stored.kind === 'stored') return { patronId, homeKey, version: stored.version, fields };
  if (stored.kind === 'no_plugin' || triesLeft === 1) return null;
  return afterSent(() => storeRemembered(koha, of, change, undefined, triesLeft - 1));
}
