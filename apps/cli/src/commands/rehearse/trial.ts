import { KohaError, SipError, type SipErrorCode } from '@passport/koha-client';
import { Failure } from '../../program/index.ts';

/** Why a scenario cannot be tried here: counted, and neither good nor bad. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/** What a scenario cannot go on after; it is one of its differences. */
export class Differs extends Error {
  override readonly name = 'Differs';
}

const SIP_HINTS: Readonly<Record<SipErrorCode, string>> = {
  unreachable: 'nobody listens at --sip',
  timeout: 'the SIP server has not answered in time',
  closed: 'the SIP server has ended the connection',
  login:
    "the SIP server refuses the login: look at the user, the password, the account's institution, and whether the user may circulate",
  bad_answer: 'that is no answer of SIP 2.00',
};

/** A failure in words that hold codes alone; null for a bug. */
export function describeFailure(error: unknown): string | null {
  if (error instanceof KohaError)
    return [error.message, error.permission, error.field].filter((part) => part !== null).join(', ');
  if (error instanceof SipError) return `${error.message} (${SIP_HINTS[error.code]})`;
  return error instanceof Failure || error instanceof Differs ? error.message : null;
}
