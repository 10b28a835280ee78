import * as z from 'zod';

/** Whether and when the copies of a lending library are refreshed. */
export const refreshKey = z
  .union([
    z.literal('off'),
    // What YAML 1.1 makes of the word.
    z.literal(false),
    z.strictObject({ sweep: z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/) }),
  ])
  .meta({
    description:
      "Whether copies follow their home records, as lending library. A sweep at this time of day (of the worker's time zone) writes what changed at home into the fields that nobody edited here. It needs the plugin and `copy.home_key_attribute`.",
    allowed: 'off or {sweep: "HH:MM"}',
  });
