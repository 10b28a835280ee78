import type { EnvironmentReader } from './environment-reader.ts';
import { VARIABLES, type Variable } from './environment-variables.ts';
import type { Consortium } from '../schema/consortium-schema.ts';
import { Secret } from '../secrets/secret.ts';
import { faultOfPassword } from '../secrets/secret-strength.ts';

/** A login of the environment. */
export interface Login {
  readonly user: string;
  readonly password: Secret<string>;
}

const NOT_READ = new Secret('');

/** The login of two variables. */
export function readLogin(
  variables: EnvironmentReader,
  userVariable: Variable<string>,
  passwordVariable: Variable<string>,
): Login {
  const user = variables.required(userVariable)?.reveal() ?? '';
  const password = variables.required(passwordVariable) ?? NOT_READ;
  const fault = faultOfPassword(password, user);
  if (fault !== null) variables.problems.add([passwordVariable.name], fault, passwordVariable.allowed);
  return { user, password };
}

/** The login that may only look; null where none is set. */
export function readViewer(variables: EnvironmentReader, operator: Login): Login | null {
  const [user, password] = [VARIABLES.viewerUser, VARIABLES.viewerPassword];
  if (!variables.isSet(user) && !variables.isSet(password)) return null;
  const viewer = readLogin(variables, user, password);
  if (viewer.user !== '' && viewer.user === operator.user) {
    variables.problems.add(['DASHBOARD_VIEWER_USER'], 'is the same as DASHBOARD_USER', 'a name of its own');
  }
  return viewer;
}

/** Where a proxy says who it has logged in; null where none does. Users without a password need it. */
export function readProxyLogin(variables: EnvironmentReader, consortium: Consortium | null) {
  if (!variables.isSet(VARIABLES.proxyUserHeader) && !variables.isSet(VARIABLES.proxyFrom)) {
    for (const [place, { password }] of (consortium?.users ?? []).entries()) {
      if (password !== null) continue;
      const allowed = `a password, or ${VARIABLES.proxyUserHeader.name} in the environment`;
      variables.problems.add(['users', place, 'password'], 'is missing', allowed);
    }
    return null;
  }
  const header = variables.required(VARIABLES.proxyUserHeader)?.reveal() ?? '';
  /** Addresses and networks, separated by commas. */
  const from = variables.required(VARIABLES.proxyFrom)?.reveal() ?? '';
  return { header: header.toLowerCase(), from };
}

/** The name decides what somebody may see: two logins of one name would be one user with two views. */
export function checkUserNames(
  consortium: Consortium | null,
  names: { readonly DASHBOARD_USER: string; readonly DASHBOARD_VIEWER_USER: string },
  { problems }: EnvironmentReader,
): void {
  for (const [place, { name }] of (consortium?.users ?? []).entries()) {
    const [variable] = Object.entries(names).find(([, taken]) => taken === name) ?? [];
    if (variable === undefined || name === '') continue;
    problems.add(['users', place, 'name'], `is the same as ${variable}`, 'a name of its own');
  }
}
