import * as z from 'zod';
import { isAttributeTypeCode, isCode, versionSchema } from '../setup/koha-codes.ts';
import { MAX_ATTRIBUTES, boundedList, flagSchema } from '../answers/json-body.ts';
import { type CallOptions, type Session, read } from '../transport/session.ts';

/** What a preference can say here: a number, a word, or a list of Koha's column names. Free text becomes null. */
const preferenceSchema = z
  .union([z.string().regex(/^[\w|, -]{0,200}$/), z.number(), z.boolean(), z.null()])
  .catch(null);
const MAX_PREFERENCES = 100;

const aboutSchema = z.object({
  version: versionSchema,
  koha_version: versionSchema.nullable().catch(null),
  time: z.iso.datetime({ offset: true }).max(40).nullable().catch(null),
  attribute_types: boundedList(z.object({ code: z.string() }), MAX_ATTRIBUTES).transform((types) =>
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

/** One finding of the plugin's own set-up check. */
const findingSchema = z.object({
  /** The word of the plugin's `SetupCheck.pm`. A later version can find what nobody here knows. */
  finding: z.string().regex(/^[a-z_]{1,40}$/),
  level: z.enum(['ok', 'fault', 'warning', 'unchecked']),
  /** The attribute type, category or branch it is about, or a word of why. */
  name: z
    .string()
    .refine((text) => isCode(text) || isAttributeTypeCode(text))
    .nullable()
    .catch(null),
  /** A status, seconds, milliseconds or a number of workers. */
  figure: z.number().int().min(0).max(1e9).nullable().catch(null),
});

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
  findings: boundedList(findingSchema, MAX_ATTRIBUTES),
  // Whether its other routes serve this API user. Null: nothing that this version knows.
  serves_you: z.enum(['yes', 'no', 'nobody']).nullable().catch(null),
  // Its own patterns of cards; none: whatever looks like one is reported. Null: more or longer ones than a plugin can have.
  card_patterns: z.array(z.string().max(500)).max(50).nullable().catch(null),
});

/** How the plugin is configured, its proof of the webhook secret, and what its set-up check finds; for doctor. */
export type PluginCheck = z.infer<typeof checkSchema>;

/**
 * Has the plugin prove its secret (`proof` is HMAC-SHA256 of `passport-proof:NONCE`, in base64) and check its set-up, for which it
 * calls its receiver. Throws KohaError; RangeError when `nonce` is not 22 to 64 of `A-Z a-z 0-9 _ -`.
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
