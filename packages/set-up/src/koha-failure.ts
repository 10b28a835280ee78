import { isAnsweredByPage, type KohaError, quoteOf } from '@passport/koha-client';
import { type Finding, type FindingCode, fault, unchecked } from './finding.ts';

/** The releases of Koha that the service is made for, and that were read in Koha's source. */
export const SUPPORTED = { oldest: '23.11', newest: '26.05' };

/** What to do with the plugin where Koha has it and does not run it. */
export const ENABLE = 'Administration → Manage plugins → Patron Passport → Actions → Enable';

/** Where to grant a permission; `area: 1` is Koha's way to write the whole area. */
export function permissionRemedy(permission: string): string {
  const whole = /^(\w+): 1$/.exec(permission)?.[1];
  const what = whole === undefined ? `"${permission}"` : `"${whole}" as a whole`;
  return `the API user's account → More → Set permissions → check ${what}`;
}

/** Of the sufficient permissions, the one to grant: what copying needs anyway, or else the smallest. */
function leastOf(alternatives: string, knownPermission: string): string {
  const each = alternatives.split(' or ');
  const wanted = [knownPermission, 'borrowers: list_borrowers'].find((permission) =>
    each.includes(permission),
  );
  return wanted ?? each[0] ?? knownPermission;
}

/** A failure of a call that the service itself needs. `need`: what it needs the call for. */
export function faultOfFailure(error: KohaError, need: string, knownPermission: string): Finding {
  const { code, status, operation, permission } = error;
  if (code === 'credentials') return faultOfCredentials(error);
  if (code === 'permission') {
    const name = permission === null ? knownPermission : leastOf(permission, knownPermission);
    const problem = `the API user lacks the permission "${name}", needed ${need}`;
    return fault('permission_missing', problem, permissionRemedy(name), name);
  }
  if (code === 'redirect') {
    const problem = `${operation} answers with a redirect`;
    return fault('redirect', problem, 'put the address it leads to into koha.url', operation);
  }
  if (error.causeCode === 'plugin_disabled')
    return fault('plugin_disabled', 'the plugin is installed, and disabled', ENABLE);
  if (code === 'unexpected_status') {
    const problem = `Koha refuses ${operation} (status ${status ?? 0}), needed ${need}`;
    const remedy = `this release, or something in front of Koha, does not accept the request as documented for ${SUPPORTED.oldest} to ${SUPPORTED.newest}: report its answer, with the release`;
    return fault('query_refused', problem, remedy, operation, quoteOf(error));
  }
  const isPage = isAnsweredByPage(error);
  if (isPage && (status ?? 500) < 500) {
    const problem = `${operation} is answered with a page that is not Koha's (status ${status ?? 0})`;
    const remedy =
      'let everything under /api/v1 through to Koha: look at the proxy, the login page or the firewall in front of it';
    return fault('proxy_page', problem, remedy, operation, quoteOf(error));
  }
  const cause = error.causeCode ?? code;
  const problem = `${operation} gave no usable answer (${status === null ? cause : `${cause}, status ${status}`})`;
  return fault('no_answer', problem, remedyForSilence(error), operation, quoteOf(error));
}

function remedyForSilence(error: KohaError): string {
  if (error.code === 'rate_limited')
    return "raise the limit for this service's address, at the proxy or firewall in front of Koha";
  return isAnsweredByPage(error)
    ? 'the web server in front of Koha gets no answer from it: koha-plack --status'
    : "look at Koha's log (plack-error.log) at this time: it says what failed";
}

function faultOfCredentials(error: KohaError): Finding {
  if (error.status === 400) {
    const problem = 'Koha does not issue tokens for client credentials';
    const preference = 'RESTOAuth2ClientCredentials';
    const remedy = `Administration → System preferences → ${preference}: Enable; if it is, the server lacks the Perl module Net::OAuth2::AuthorizationServer`;
    return fault('oauth_off', problem, remedy, null, quoteOf(error));
  }
  const problem =
    'Koha refuses client_id and client_secret (unauthorized_client: the id; access_denied: the secret)';
  const remedy =
    "the API user's account → More → Manage API keys → generate a new pair, and put it where koha.client_id and koha.client_secret are read from";
  return fault('credentials_refused', problem, remedy, null, quoteOf(error));
}

/** A failure of a call that only doctor makes: `what` stays unknown. */
export function uncheckedFailure(
  error: KohaError,
  { code, what, knownPermission }: { code: FindingCode; what: string; knownPermission: string },
): Finding {
  if (error.code === 'permission') {
    const name = error.permission ?? knownPermission;
    const problem = `${what} cannot be seen without the permission "${name}"`;
    return unchecked(code, problem, `to let doctor see it: ${permissionRemedy(name)}`, name);
  }
  const problem = `${what} cannot be seen: ${error.operation} gives ${error.code}`;
  return unchecked(code, problem, "look at Koha's log (plack-error.log)", error.operation, quoteOf(error));
}
