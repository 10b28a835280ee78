import type { EnvironmentReader } from './environment-reader.ts';
import { VARIABLES } from './environment-variables.ts';
import type { Consortium } from '../file/model.ts';
import { Secret } from '../secrets/secret.ts';
import { faultOfPassword } from '../secrets/secret-strength.ts';

/** A login of the environment. */
export interface Login {
  readonly user: string;
  readonly password: Secret<string>;
}

const NOT_READ = new Secret('');

type LoginVariables = readonly [
  typeof VARIABLES.dashboardUser | typeof VARIABLES.viewerUser,
  typeof VARIABLES.dashboardPassword | typeof VARIABLES.viewerPassword,
];

/** The login of two variables. */
export function readLogin(
  variables: EnvironmentReader,
  [userVariable, passwordVariable]: LoginVariables,
): Login {
  const user = variables.required(userVariable)?.reveal() ?? null;
  const password = variables.required(passwordVariable);
  const fault = password === null ? null : faultOfPassword(password, user);
  if (fault !== null) variables.problems.add([passwordVariable.name], fault, passwordVariable.allowed);
  return { user: user ?? '', password: password ?? NOT_READ };
}

/** The login that may only look; null where none is set. */
export function readViewer(variables: EnvironmentReader, operator: Login): Login | null {
  const pair = [VARIABLES.viewerUser, VARIABLES.viewerPassword] as const;
  if (pair.every((variable) => !variables.isSet(variable.name))) return null;
  const viewer = readLogin(variables, pair);
  if (viewer.user !== '' && viewer.user === operator.user) {
    variables.problems.add(['DASHBOARD_VIEWER_USER'], 'is the same as DASHBOARD_USER', 'a name of its own');
  }
  return viewer;
}

/** Where a proxy says who it has logged in. */
export interface ProxyLogin {
  /** In lower case. */
  readonly header: string;
  /** Addresses and networks, separated by commas. */
  readonly from: string;
}

/** The login by a proxy; null where none is set. Users without a password need it. */
export function readProxyLogin(
  variables: EnvironmentReader,
  consortium: Consortium | null,
): ProxyLogin | null {
  const pair = [VARIABLES.proxyUserHeader, VARIABLES.proxyFrom] as const;
  if (pair.every((variable) => !variables.isSet(variable.name))) {
    for (const [place, { password }] of (consortium?.users ?? []).entries()) {
      if (password !== null) continue;
      const allowed = `a password, or ${VARIABLES.proxyUserHeader.name} in the environment`;
      variables.problems.add(['users', place, 'password'], 'is missing', allowed);
    }
    return null;
  }
  const header = variables.required(VARIABLES.proxyUserHeader)?.reveal() ?? '';
  const from = variables.required(VARIABLES.proxyFrom)?.reveal() ?? '';
  return { header: header.toLowerCase(), from };
}

/** The name decides what somebody may see: two logins of one name would be one user with two views. */
export function checkUserNames(
  consortium: Consortium | null,
  logins: Readonly<Record<string, Pick<Login, 'user'> | null>>,
  { problems }: EnvironmentReader,
): void {
  for (const [place, { name }] of (consortium?.users ?? []).entries()) {
    const [variable] = Object.entries(logins).find(([, login]) => login?.user === name) ?? [];
    if (variable === undefined || name === '') continue;
    problems.add(['users', place, 'name'], `is the same as ${variable}`, 'a name of its own');
  }
}
