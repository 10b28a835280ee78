import { problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';

/** Whom a route of the plugin serves beside its permission (its `Route.pm`): whoever has an API key, or the service's user alone. */
type Served = 'key' | 'service';

/** A route that the desk's panel does not call: no session's cookie, and no password. */
export const servedTo =
  (served: Served) =>
  (operation: Operation): Operation => ({
    ...operation,
    handle: (call) => refusalOf(call, served) ?? operation.handle(call),
  });

function refusalOf(call: ApiCall, served: Served): Answer | null {
  if (call.headers['authorization']?.startsWith('Bearer ') !== true)
    return problem(403, 'This takes the token of an API key only', { error_code: 'no_key' });
  if (served === 'key' || isServiceUser(call)) return null;
  const error = "This serves only the user whom the plugin is configured with as the service's";
  return problem(403, error, { error_code: 'not_the_service' });
}

/** True for the user whom the plugin's configuration page names. */
export const isServiceUser = ({ double, user }: ApiCall): boolean =>
  double.settings.plugin_service_user !== null &&
  user.columns.cardnumber === double.settings.plugin_service_user;
