import { z } from 'zod';
import { parseJsonBody } from './answer-body.ts';
import { badAnswer } from './failure-of.ts';
import type { CallOptions, Session } from './session.ts';

const flag = z.union([z.boolean(), z.literal([0, 1]).transform((bit) => bit === 1)]);

const aboutSchema = z.object({
  version: z.string(),
  koha_version: z.string().nullable().catch(null),
  time: z.string().nullable().catch(null),
  attribute_types: z.array(
    z.object({
      code: z.string(),
      unique_id: flag,
      repeatable: flag,
      mandatory: flag,
      opac_display: flag,
      opac_editable: flag,
      staff_searchable: flag,
      // The one category whose patrons have it, if it is bound to one. Not told by every version.
      category_id: z.string().nullable().optional(),
    }),
  ),
  preferences: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  plack_workers: z.number().nullable().catch(null),
});

/** What the Patron Passport plugin tells of its Koha (contract.md section 4); for doctor. */
export type PluginAbout = z.infer<typeof aboutSchema>;

/** Stores the state of an event with the lending library's plugin, which keeps the highest `seq`. Throws KohaError. */
export async function tellOutcome(
  session: Session,
  eventId: string,
  state: unknown,
  options?: CallOptions,
): Promise<void> {
  const answer = await session.call(
    {
      operation: 'PUT /contrib/passport/scans/{event_id}/outcome',
      method: 'PUT',
      path: `/contrib/passport/scans/${encodeURIComponent(eventId)}/outcome`,
      json: state,
    },
    options,
  );
  // Anything else, a 200 with a page of some proxy included, does not say that it was stored.
  if (answer.status !== 204) throw session.failure(answer);
}

/** Reads the plugin's own account of its Koha. Throws KohaError, `unexpected_status` 404 where there is no plugin. */
export async function readAbout(session: Session, options?: CallOptions): Promise<PluginAbout> {
  const operation = 'GET /contrib/passport/about';
  const answer = await session.call({ operation, method: 'GET', path: '/contrib/passport/about' }, options);
  if (answer.status !== 200) throw session.failure(answer);
  const about = aboutSchema.safeParse(parseJsonBody(answer));
  if (!about.success) throw badAnswer(session.library, answer);
  return about.data;
}
