import type { ExamineeDeps } from '@passport/set-up';
import type { CliDeps } from '../../program/index.ts';

/** What this command examines libraries with. */
export const examineeDeps = ({ now, randomBytes }: Pick<CliDeps, 'now' | 'randomBytes'>): ExamineeDeps => ({
  now,
  newNonce: () => randomBytes(24).toString('base64url'),
});
