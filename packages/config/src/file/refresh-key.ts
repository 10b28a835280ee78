import * as z from 'zod';

const applyOrReport = z.enum(['apply', 'report']);

/** Whether, when and how far the copies of a lending library are refreshed. */
export const refreshKey = z
  .union([
    z.literal('off'),
    // What YAML 1.1 makes of the word.
    z.literal(false),
    z.strictObject({
      sweep: z
        .string()
        .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)
        .optional(),
      at_scan: z.boolean().default(false),
      card: applyOrReport.default('apply'),
      expiry: applyOrReport.default('apply'),
      restricted: applyOrReport.default('report'),
      card_lost: applyOrReport.default('report'),
    }),
  ])
  .meta({
    description:
      "Whether copies follow their home records, as lending library. `sweep`: at this time of day (of the worker's time zone) what changed at home is written into the fields that nobody edited here; `at_scan: true`: so it is when a copy is scanned, beside the scan and once a day at most. `card`, `expiry`, `restricted` and `card_lost` say whether such a change at home is applied, or reported only; without them card and expiry are applied. It needs the plugin and `copy.home_key_attribute`.",
    allowed:
      'off or {sweep: "HH:MM", at_scan: true, card: apply, expiry: apply, restricted: report, card_lost: report}; `sweep` or `at_scan` is required',
  });

/** As it stands in the file. */
export type RefreshKey = z.infer<typeof refreshKey>;
