import * as z from 'zod';
import { parseRefusal } from '../errors/refusal.ts';
import { bodyOf } from '../errors/failure-of.ts';
import { boundedList } from '../transport/json-body.ts';
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
const rowSchema = z
  .object({
    patron_id: z.number().int().positive(),
    version: z.number().int().positive(),
    home_key: z.string().min(1).max(255),
    fields: z
      .record(z.string().max(64), fieldSchema)
      .refine((fields) => Object.keys(fields).length <= MOST_FIELDS),
    restricted_at: boundedList(z.string().max(64), MOST_RESTRICTIONS).optional(),
  })
  .transform(({ patron_id: patronId, home_key: homeKey, restricted_at: restrictedAt, ...row }) => ({
    patronId,
    homeKey,
    restrictedAt: restrictedAt ?? null,
    ...row,
  }));
const pageSchema = z.object({ copies: boundedList(rowSchema, ROWS_A_PAGE) });
const storedSchema = z.object({ version: z.number().int().positive() });

/** What the service wrote into one field of a copy: a keyed hash of the value, when (seconds since 1970), by which event. */
export type RememberedField = z.infer<typeof fieldSchema>;

/** What the service stores of one copy. `version` grows with each change; 0 is a row that is not there yet. */
export interface CopyMemoryRow {
  readonly patronId: number;
  readonly version: number;
  readonly homeKey: string;
  readonly fields: Readonly<Record<string, RememberedField>>;
}

/** What the lending Koha's plugin says of one copy. */
export interface RememberedCopy extends CopyMemoryRow {
  /** The home libraries for which the service has restricted the copy, and has not lifted it; null where the plugin is older. */
  readonly restrictedAt: readonly string[] | null;
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

/** Stores what was written into a copy, on top of the version that was read. Throws KohaError. */
export async function rememberCopy(
  session: Session,
  { patronId, homeKey, version, fields }: CopyMemoryRow,
  options?: CallOptions,
): Promise<RememberResult> {
  const answer = await session.call(
    {
      operation: 'PUT /contrib/passport/copies/{patron_id}',
      places: { patron_id: patronId },
      json: { version, home_key: homeKey, fields },
    },
    options,
  );
  if (answer.status === 409 && parseRefusal(answer) !== null) return { kind: 'other_version' };
  if (answer.status === 404 && parseRefusal(answer) !== null) return { kind: 'no_plugin' };
  if (answer.status !== 200) throw session.failure(answer);
  return { kind: 'stored', version: bodyOf(session.library, answer, storedSchema).version };
}

/** Most tries at a row: another writer may store it between our read and our write. */
const MOST_TRIES = 3;

/**
 * Stores what `change` makes of the fields that a Koha remembers of a copy; `known` is what was read of them, null for nothing. They are
 * read where that is left out, or where somebody else has stored them since. Throws KohaError.
 */
export async function storeRemembered(
  koha: {
    readRememberedCopies(range: RememberedRange): Promise<readonly RememberedCopy[] | null>;
    rememberCopy(row: CopyMemoryRow): Promise<RememberResult>;
  },
  { patronId, homeKey }: Pick<CopyMemoryRow, 'patronId' | 'homeKey'>,
  change: (before: CopyMemoryRow['fields']) => CopyMemoryRow['fields'],
  known?: CopyMemoryRow | null,
): Promise<void> {
  let row = known;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    if (row === undefined) {
      const rows = await koha.readRememberedCopies({ after: patronId - 1, upTo: patronId });
      if (rows === null) return;
      row = rows[0] ?? null;
    }
    const { version, fields } = row ?? { version: 0, fields: {} };
    const stored = await koha.rememberCopy({ patronId, homeKey, version, fields: change(fields) });
    if (stored.kind !== 'other_version') return;
    row = undefined;
  }
}
