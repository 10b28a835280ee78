import { VARIABLES } from './environment-variables.ts';
import { type QueueAccess, type ReadFile, readBoth } from './process-config.ts';
import { checkUserNames, readProxyLogin } from './read-logins.ts';
import { SECRET_KINDS } from '../secrets/secret-reader.ts';

/** The file as every process together takes it. */
export interface CheckedFile extends Pick<QueueAccess, 'consortium' | 'fileHash'> {
  /** `users` were compared with the dashboard's own logins, and with whether a proxy logs anybody in: its environment is here. */
  readonly isDashboardHere: boolean;
}

/**
 * The file with the secrets of all processes: what any of them would refuse in it is refused here. Of their environments it takes only
 * what decides about the file. Throws one ConfigError with every problem.
 */
export function checkedFile(env: NodeJS.ProcessEnv, readFile: ReadFile): CheckedFile {
  return readBoth(env, { readFile, wanted: SECRET_KINDS }, (variables, consortium) => {
    const isDashboardHere = variables.isSet(VARIABLES.dashboardUser.name);
    if (isDashboardHere) {
      const userOf = (variable: typeof VARIABLES.dashboardUser | typeof VARIABLES.viewerUser) => ({
        user: variables.optional(variable)?.reveal() ?? '',
      });
      const logins = {
        DASHBOARD_USER: userOf(VARIABLES.dashboardUser),
        DASHBOARD_VIEWER_USER: userOf(VARIABLES.viewerUser),
      };
      checkUserNames(consortium, logins, variables);
      readProxyLogin(variables, consortium);
    }
    return { isDashboardHere };
  });
}
