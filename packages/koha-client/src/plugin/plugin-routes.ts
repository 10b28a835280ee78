import * as z from 'zod';
import { codeSchema, isAttributeTypeCode, versionSchema } from '../setup/koha-codes.ts';
import { MAX_ATTRIBUTES, boundedList, flagSchema } from '../transport/json-body.ts';
import { type CallOptions, type Session, read } from '../transport/session.ts';

const attributeTypeSchema = z.object({
  code: z.string(),
  unique_id: flagSchema,
  repeatable: flagSchema,
  mandatory: flagSchema,
  opac_display: flagSchema,
  opac_editable: flagSchema,
  staff_searchable: flagSchema,
  // The one category whose patrons have it, if it is bound to one. Not reported by every version.
  category_id: codeSchema.nullable().optional().catch(null),
});

/** What a preference can say here: a number, a word, or a list of Koha's column names. Free text becomes null. */
const preferenceSchema = z
  .union([z.string().regex(/^[\w|, -]{0,200}$/), z.number(), z.boolean(), z.null()])
  .catch(null);
const MAX_PREFERENCES = 100;

const aboutSchema = z.object({
  version: versionSchema,
  koha_version: versionSchema.nullable().catch(null),
  time: z.iso.datetime({ offset: true }).max(40).nullable().catch(null),
  attribute_types: boundedList(attributeTypeSchema, MAX_ATTRIBUTES).transform((types) =>
    types.filter(({ code }) => isAttributeTypeCode(code)),
  ),
  preferences: z.preprocess((json) => firstPreferences(json), z.record(z.string(), preferenceSchema)),
  plack_workers: z.number().int().min(0).max(10_000).nullable().catch(null),
});

/** What the Patron Passport plugin reports of its Koha (`GET /about` of its `openapi.json`); for doctor. */
export type PluginAbout = z.infer<typeof aboutSchema>;

/** Stores the state of an event with the lending library's plugin, which keeps the highest `seq`. Throws KohaError. */
export async function reportOutcome(
  session: Session,
  eventId: string,
  state: unknown,
  options?: CallOptions,
): Promise<void> {
  const answer = await session.call(
    {
      operation: 'PUT /contrib/passport/scans/{event_id}/outcome',
      places: { event_id: eventId },
      json: state,
    },
    options,
  );
  // Anything else, a 200 with a page of some proxy included, does not say that it was stored.
  if (answer.status !== 204) throw session.failure(answer);
}

/** Reads the plugin's own account of its Koha. Throws KohaError, `unexpected_status` 404 where there is no plugin. */
export function about(session: Session, options?: CallOptions): Promise<PluginAbout> {
  return read(session, { operation: 'GET /contrib/passport/about' }, aboutSchema, options);
}

/** What a plugin may have to prove: anything else is refused there, so that a proof never is the signature of a delivery. */
const NONCE = /^[\w-]{22,64}$/;

/** A word of the plugin's or the receiver's own; anything else becomes null. */
const word = z
  .string()
  .regex(/^[\w.-]{1,64}$/)
  .nullable()
  .optional()
  .catch(null);

const checkSchema = z.object({
  // Null: none was entered, or none that a library can have.
  library: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .nullable()
    .catch(null),
  receiver_url: z
    .string()
    .regex(/^https?:\/\/[\w.:[\]/%~-]{1,300}$/)
    .nullable()
    .catch(null),
  secret_from: z.enum(['page', 'koha-conf', 'nowhere']),
  proof: z
    .string()
    .regex(/^[\w+/]{43}=$/)
    .nullable()
    .catch(null),
  serves: z.object({ staff: flagSchema, self_check: flagSchema, sip: flagSchema, copies: flagSchema }),
  delivery: z.object({
    kind: z.enum(['accepted', 'refused', 'unreachable', 'not_sent']),
    status: z.number().int().min(100).max(599).nullable().optional().catch(null),
    code: word,
    reason: word,
    why: word,
    ms: z.number().int().min(0).max(600_000).nullable().optional().catch(null),
  }),
  // Whether its other routes serve this API user. A plugin before 1.1.0 does not say it, and serves everybody with the permission.
  serves_you: z.enum(['yes', 'no', 'nobody']).nullable().default(null).catch(null),
  // Its own patterns of cards; none: whatever looks like one is reported. Null: it does not say.
  card_patterns: z.array(z.string().max(500)).max(50).nullable().default(null).catch(null),
});

/** How the plugin is configured, its proof of the webhook secret, and what the receiver made of a test event it sent; for doctor. */
export type PluginCheck = z.infer<typeof checkSchema>;

/**
 * Has the plugin prove its secret (`proof` is HMAC-SHA256 of `passport-proof:NONCE`, in base64) and send a test event, which the
 * receiver does not queue. Throws KohaError; RangeError when `nonce` is not 22 to 64 of `A-Z a-z 0-9 _ -`.
 */
export async function checkPlugin(
  session: Session,
  nonce: string,
  options?: CallOptions,
): Promise<PluginCheck> {
  if (!NONCE.test(nonce)) throw new RangeError('a nonce is 22 to 64 of A-Z a-z 0-9 _ -');
  return read(session, { operation: 'POST /contrib/passport/check', json: { nonce } }, checkSchema, options);
}

function firstPreferences(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const named = Object.entries(json).filter(([name]) => /^[A-Za-z][\w:-]{0,79}$/.test(name));
  return Object.fromEntries(named.slice(0, MAX_PREFERENCES));
}
