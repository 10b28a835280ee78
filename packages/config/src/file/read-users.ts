import type { User } from './model.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { readSection, reportMissing } from './read-section.ts';
import { reportNoLibrary } from '../problems/report-no-library.ts';
import { Secret } from '../secrets/secret.ts';
import type { SecretReader } from '../secrets/secret-reader.ts';
import type { SecretSource } from '../secrets/secret-source.ts';
import { faultOfPassword } from '../secrets/secret-strength.ts';
import { userSchema } from './user-schema.ts';

interface Reading {
  /** Of the libraries in the file. */
  readonly ids: readonly string[];
  readonly problems: ProblemList;
  readonly secrets: SecretReader;
}

const NOT_READ = new Secret('');

/** Reads `users`, reporting all that is wrong in it. */
export function readUsers(raws: readonly unknown[], reading: Reading): readonly User[] {
  const first = new Map<string, number>();
  return raws.map((raw, place) => {
    const user = readUser(raw, ['users', place], reading);
    const before = first.get(user.name);
    if (user.name !== '' && before !== undefined) {
      reading.problems.add(
        ['users', place, 'name'],
        `is the same as users[${before}].name`,
        'a name of its own',
      );
    }
    first.set(user.name, before ?? place);
    return user;
  });
}

function readUser(raw: unknown, at: Path, reading: Reading): User {
  const { ids, problems } = reading;
  const read = readSection(userSchema, raw, at, problems);
  reportMissing(raw, ['name', 'role', 'libraries'], userSchema, at, problems);
  const libraries = read.libraries ?? [];
  if (libraries !== 'all') {
    for (const [place, id] of libraries.entries()) {
      if (!ids.includes(id)) reportNoLibrary(id, ids, [...at, 'libraries', place], problems);
    }
  }
  const name = read.name ?? '';
  return {
    name,
    role: read.role ?? 'viewer',
    libraries,
    password: readPassword(read.password ?? null, { name, at: [...at, 'password'] }, reading),
  };
}

function readPassword(
  source: SecretSource | null,
  { name, at }: { name: string; at: Path },
  { problems, secrets }: Reading,
): Secret<string> | null {
  if (source === null) return null;
  const password = secrets.read('user', source, at);
  if (password === null) return NOT_READ;
  const fault = secrets.wants('user') ? faultOfPassword(password, name) : null;
  if (fault !== null) problems.add(at, fault, '12 to 200 characters that nobody can guess');
  return password;
}
