import { type Fault, set } from './fault.ts';
import type { Draft } from './valid-file.ts';

const RITA = {
  name: 'rita',
  role: 'viewer',
  libraries: ['riverside'],
  password: { env: 'RITA_PASSWORD' },
} as const;
const env = { RITA_PASSWORD: 'hb7-riverside-only' };
/** One user who is right but for a change. */
const user = (change: Draft) => set('users')([{ ...RITA, ...change }]);

/** Files that are wrong in their users. */
export const USER_FAULTS: Readonly<Record<string, Fault>> = {
  'a user of a library that is none': {
    break: user({ libraries: ['riverside', 'midlnad'] }),
    env,
    path: 'users[0].libraries[1]',
    problem: /is no library, did you mean midland\?/,
    allowed: /midland, riverside, lakeside/,
  },
  'a user of no library': {
    break: user({ libraries: [] }),
    env,
    path: 'users[0].libraries',
    problem: /too small/,
    allowed: /all, or a list/,
  },
  'a user whose libraries are not said': {
    break: user({ libraries: undefined }),
    env,
    path: 'users[0].libraries',
    problem: /is missing/,
  },
  'a user of a role that is none': {
    break: user({ role: 'admin' }),
    env,
    path: 'users[0].role',
    problem: /none of the allowed words/,
    allowed: /operator or viewer/,
  },
  'a user with a name that cannot be sent': {
    break: user({ name: 'rita:desk' }),
    env,
    path: 'users[0].name',
    problem: /does not fit/,
    allowed: /without blanks and colons/,
  },
  'two users of one name': {
    break: set('users')([RITA, { ...RITA, libraries: 'all' }]),
    env,
    path: 'users[1].name',
    problem: /is the same as users\[0\]\.name/,
  },
  'an unknown key of a user': {
    break: user({ library: 'riverside' }),
    env,
    path: 'users[0].library',
    problem: /did you mean libraries\?/,
  },
  'a password in the file': {
    break: user({ password: 'hb7-riverside-only' }),
    env,
    path: 'users[0].password',
    problem: /does not fit/,
    allowed: /never the password itself/,
  },
  'one user without the list': {
    break: set('users')(RITA),
    env,
    path: 'users',
    problem: /must be a list, not a mapping/,
  },
};
