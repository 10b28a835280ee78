import { KIOSK } from './kiosk.ts';
import { LIFE, NEVER } from './life.ts';
import { OUTCOMES } from './outcomes.ts';
import { REFUSALS } from './refusals.ts';
import type { Scenario } from './scenario.ts';

/** Everything that is rehearsed, in its order. */
export const SCENARIOS: readonly Scenario[] = [...OUTCOMES, ...REFUSALS, ...KIOSK, ...LIFE, ...NEVER];
export type { Scenario } from './scenario.ts';
