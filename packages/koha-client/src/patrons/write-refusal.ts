import { PATRON_FIELDS } from '@passport/contract';
import * as z from 'zod';
import type { KohaRefusal } from '../errors/refusal.ts';

/** What a person must fix before Koha takes this record. */
export type RefusedWhat =
  'category' | 'branch' | 'attribute_type' | 'mandatory_attribute' | 'permission' | 'other';

/**
 * A refusal for a reason that only a person can fix. `name` is a code or a place in the body. That of a mandatory attribute is Koha's word
 * alone, and those of a branch and a category are as they were sent: whoever shows one asks first whether this Koha lists it.
 */
export interface Refused {
  readonly kind: 'refused';
  readonly what: RefusedWhat;
  readonly name: string | null;
}

/** The body that was sent: Koha's refusal only chooses what of it is named. */
export type SentBody = Readonly<Record<string, unknown>> & {
  readonly library_id: string;
  readonly category_id: string;
};

/**
 * What a 400 to `POST` or `PUT /patrons` means (`Koha/REST/V1/Patrons.pm`, `add` and `update`). Koha's sentence is read by its
 * beginning, because releases before 24.05 give no `error_code`; only the attribute type is taken from it, since all else can
 * quote a patron's value.
 */
export function readWriteRefusal(
  refusal: KohaRefusal,
  sent: SentBody,
):
  | Refused
  | { readonly kind: 'userid_taken' }
  | { readonly kind: 'attribute_not_unique'; type: string | null } {
  const { error, errorCode } = refusal;
  const type = sentTypeIn(error, sent);
  // Koha quotes the login itself (`Koha::REST::V1::Patrons`, sub `add`): its words are no constant.
  if (error.startsWith('Problem with ')) return { kind: 'userid_taken' };
  if (error.startsWith('Given category_id does not exist')) return refused('category', sent.category_id);
  if (error.startsWith('Given library_id does not exist')) return refused('branch', sent.library_id);
  if (errorCode === 'attribute_not_unique' || /breaks a unique constraint/.test(error)) {
    return { kind: 'attribute_not_unique', type };
  }
  if (
    errorCode === 'missing_mandatory_attribute' ||
    error.startsWith('Missing mandatory extended attribute')
  ) {
    return refused('mandatory_attribute', missingTypeIn(error));
  }
  if (errorCode === 'invalid_attribute_type' || /use an invalid attribute type/.test(error)) {
    return refused('attribute_type', type);
  }
  if (errorCode === 'non_repeatable_attribute' || /non-repeatable attributes/.test(error)) {
    return refused('attribute_type', type);
  }
  return misfit(refusal, sent);
}

const sentTypesSchema = z.array(z.object({ type: z.string() }));

/** Builds a refusal. */
export function refused(what: RefusedWhat, name: string | null): Refused {
  return { kind: 'refused', what, name };
}

/** Only a place in what was sent is named, and only by our own names for it. */
function misfit(refusal: KohaRefusal, sent: SentBody): Refused {
  const path = refusal.misfits[0]?.path ?? '';
  if (path === '/body') return refused('other', path);
  const key = /^\/body\/([a-z0-9_]{1,64})(?:\/\d{1,3}(?:\/[a-z_]{1,30})?)?$/.exec(path)?.[1];
  if (key === undefined || !Object.hasOwn(sent, key)) return refused('other', null);
  if (key === 'category_id') return refused('category', sent.category_id);
  if (key === 'library_id') return refused('branch', sent.library_id);
  return refused('other', `/body/${key}`);
}

/** The type that Koha names, if it is one of those that were sent. */
function sentTypeIn(error: string, { extended_attributes: sent }: SentBody): string | null {
  const named = typeIn(error);
  const types = sentTypesSchema.safeParse(sent).data ?? [];
  return types.some(({ type }) => type === named) ? named : null;
}

/** A mandatory type that was not sent is known by Koha's word only: no more than a candidate, which has to look like a code, and be short. */
function missingTypeIn(error: string): string | null {
  const named = typeIn(error);
  return /^[A-Z][A-Z0-9_]{0,19}$/.test(named) ? named : null;
}

function typeIn(error: string): string {
  return /type=([^\s)]{1,64})/.exec(error)?.[1] ?? '';
}

/** Lone halves of UTF-16 pairs, which no UTF-8 can carry: Koha refuses the whole body for one (400 at `/body`). */
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

const UNCHOSEN = new Map(PATRON_FIELDS.map(({ name, unchosen }) => [name, unchosen]));

/**
 * A patron's body as Koha takes it: lone surrogates become U+FFFD, and a choice goes in Koha's type, what nobody has chosen as Koha's own
 * value for that, since it refuses null there (`api/v1/swagger/definitions/patron.yaml`). All else goes as it is.
 */
export function buildSentBody<T extends Readonly<Record<string, unknown>>>(body: T): T {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, wellFormed(sentChoice(value, UNCHOSEN.get(name)))]),
  ) as T;
}

function sentChoice(value: unknown, unchosen: string | boolean | undefined): unknown {
  if (unchosen === undefined) return value;
  if (value === null || value === '') return unchosen;
  return typeof unchosen === 'boolean' ? value === 'true' || value === true : value;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(LONE_SURROGATE, '\uFFFD');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, wellFormed(part)]));
}
