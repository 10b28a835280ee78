import * as z from 'zod';

/** Whether and when it is read what copies at a lending library owe. */
export const owedKey = z
  .union([
    z.literal('off'),
    // What YAML 1.1 makes of the word.
    z.literal(false),
    z.strictObject({ read: z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/) }),
  ])
  .meta({
    description:
      "Whether the home libraries get to know, as lending library, how many checkouts of their patrons' copies are overdue and what is owed, in numbers. Read once a day at this time (of the worker's time zone). It needs the plugin and `copy.home_key_attribute`.",
    allowed: 'off or {read: "HH:MM"}',
  });

/** What a home library does about what its patrons owe at the lending library. */
export const recourseKey = z
  .union([
    z.literal('report'),
    z.strictObject({ block_home_over: z.number().min(0).max(1_000_000).multipleOf(0.01) }),
  ])
  .meta({
    description:
      "What becomes of what patrons owe at the lending library, where it has `owed`: it is reported to the home library, or a patron who owes more than this amount, in the lending library's currency, is also restricted there until it is settled.",
    allowed: 'report or {block_home_over: AMOUNT} with an AMOUNT from 0 to 1000000',
  });
