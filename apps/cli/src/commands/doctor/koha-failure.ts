import { isAnsweredByPage, KohaError, quoteOf } from '@passport/koha-client';
import { SUPPORTED_RELEASES } from './check-release.ts';
import { type Finding, fault, unchecked } from './finding.ts';

/** Runs a call; a failure of Koha's becomes a value. Bugs throw. */
export async function attempt<T>(work: Promise<T>): Promise<{ value: T } | { error: KohaError }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof KohaError) return { error };
    throw error;
  }
}

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
  switch (code) {
    case 'credentials':
      return faultOfCredentials(error);
    case 'permission': {
      const name = permission === null ? knownPermission : leastOf(permission, knownPermission);
      return fault(
        'permission_missing',
        `the API user lacks the permission "${name}", needed ${need}`,
        permissionRemedy(name),
        name,
      );
    }
    case 'redirect':
      return fault(
        'redirect',
        `${operation} answers with a redirect`,
        'put the address it leads to into koha.url',
        operation,
      );
    case 'unexpected_status':
      return fault(
        'query_refused',
        `Koha refuses ${operation} (status ${status ?? 0}), needed ${need}`,
        `this release, or something in front of Koha, does not accept the request as documented for ${SUPPORTED_RELEASES}: report its answer, with the release`,
        operation,
        quoteOf(error),
      );
    default:
      return isAnsweredByPage(error) && (error.status ?? 500) < 500 ? proxyPage(error) : noAnswer(error);
  }
}

function proxyPage(error: KohaError): Finding {
  const { operation, status } = error;
  return fault(
    'proxy_page',
    `${operation} is answered with a page that is not Koha's (status ${status ?? 0})`,
    'let everything under /api/v1 through to Koha: look at the proxy, the login page or the firewall in front of it',
    operation,
    quoteOf(error),
  );
}

function remedyForSilence(error: KohaError): string {
  if (error.code === 'rate_limited')
    return "raise the limit for this service's address, at the proxy or firewall in front of Koha";
  return isAnsweredByPage(error)
    ? 'the web server in front of Koha gets no answer from it: koha-plack --status'
    : "look at Koha's log (plack-error.log) at this time: it says what failed";
}

function noAnswer(error: KohaError): Finding {
  const { code, status, operation } = error;
  const what = error.causeCode ?? code;
  const said = status === null ? what : `${what}, status ${status}`;
  const problem = `${operation} gave no usable answer (${said})`;
  return fault('no_answer', problem, remedyForSilence(error), operation, quoteOf(error));
}

function faultOfCredentials(error: KohaError): Finding {
  const said = quoteOf(error);
  if (error.status === 400) {
    const problem = 'Koha does not issue tokens for client credentials';
    const preference = 'RESTOAuth2ClientCredentials';
    const remedy = `Administration → System preferences → ${preference}: Enable; if it is, the server lacks the Perl module Net::OAuth2::AuthorizationServer`;
    return fault('oauth_off', problem, remedy, null, said);
  }
  return fault(
    'credentials_refused',
    'Koha refuses client_id and client_secret (unauthorized_client: the id; access_denied: the secret)',
    "the API user's account → More → Manage API keys → generate a new pair, and put it where koha.client_id and koha.client_secret are read from",
    null,
    said,
  );
}

/** A failure of a call that only doctor makes: `what` stays unknown. */
export function uncheckedFailure(
  error: KohaError,
  { code, what, knownPermission }: { code: Finding['code']; what: string; knownPermission: string },
): Finding {
  if (error.code === 'permission') {
    const name = error.permission ?? knownPermission;
    return unchecked(
      code,
      `${what} cannot be seen without the permission "${name}"`,
      `to let doctor see it: ${permissionRemedy(name)}`,
      name,
    );
  }
  return unchecked(
    code,
    `${what} cannot be seen: ${error.operation} gives ${error.code}`,
    "look at Koha's log (plack-error.log)",
    error.operation,
    quoteOf(error),
  );
}
