import * as z from 'zod';
import { words } from './leaf-schemas.ts';
import { secretSource } from '../secrets/secret-source.ts';
import { user } from '../environment/variable-schemas.ts';

/** One entry of `users`: somebody who may use the dashboard. */
export const userSchema = z.strictObject({
  name: user.schema.meta({ description: 'Name to log in with.', allowed: user.allowed }),
  role: words(['operator', 'viewer'], 'An `operator` may look, retry and discard. A `viewer` may only look.'),
  libraries: z.union([z.literal('all'), z.array(z.string()).min(1)]).meta({
    description:
      'Lending libraries whose scans, statistics, sweeps and health this user sees; everything else is not found. Only users of `all` have the queue board.',
    allowed: 'all, or a list of ids of libraries',
  }),
  password: secretSource.nullable().meta({
    description:
      'Password; only the dashboard reads it. None: the user is logged in by a proxy (`DASHBOARD_PROXY_USER_HEADER`).',
    allowed:
      '{env: NAME} or {file: PATH} of 12 to 200 characters that nobody can guess; never the password itself',
  }),
});

/** The key `users` of the file. */
export const userList = z.array(z.unknown()).nullable().meta({
  description: 'Who may use the dashboard, beside the logins of its environment.',
  allowed: 'a list of {name, role, libraries, password}',
});
