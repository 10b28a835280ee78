import * as z from 'zod';

/** Where a secret is to be found: in the environment, or in a file. */
export const secretSource = z.union([
  z.strictObject({ env: z.string() }),
  z.strictObject({ file: z.string() }),
]);
export type SecretSource = z.output<typeof secretSource>;
