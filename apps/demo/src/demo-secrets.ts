import { formatWebhookSecret } from '@passport/contract';

/** What is made anew at every start, so that nothing of a demo can be mistaken for, or used in, a real installation. */
export interface DemoSecrets {
  readonly passportKey: string;
  readonly redisPassword: string;
  readonly dashboardPassword: string;
  /** `whsec_...`, by library. */
  readonly webhook: Readonly<Record<string, string>>;
}

export function buildDemoSecrets(
  libraries: readonly string[],
  randomBytes: (size: number) => Buffer,
): DemoSecrets {
  return {
    passportKey: randomBytes(32).toString('base64'),
    redisPassword: randomBytes(18).toString('base64url'),
    dashboardPassword: randomBytes(12).toString('base64url'),
    webhook: Object.fromEntries(libraries.map((id) => [id, formatWebhookSecret(randomBytes(32))])),
  };
}
