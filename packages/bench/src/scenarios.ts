import { measureAddedTime } from './scenarios/s1-added-time.ts';
import { measureBurst } from './scenarios/s11-burst.ts';
import { measureColdDesk } from './scenarios/s10-cold-desk.ts';
import { measureLibraries } from './scenarios/s12-libraries.ts';
import { measureDesk } from './scenarios/s14-desk.ts';
import { measureSizes } from './scenarios/s15-sizes.ts';
import { measureHour } from './scenarios/s17-hour.ts';
import { measureNight } from './scenarios/s18-night.ts';
import { measureLocate } from './scenarios/s2-locate.ts';
import { measureBlackHole } from './scenarios/s3-black-hole.ts';
import { measureReceiver } from './scenarios/s4-receiver.ts';
import { measureWorker } from './scenarios/s5-worker.ts';
import { measureScaleOut } from './scenarios/s6-scale-out.ts';
import { measureBacklog } from './scenarios/s7-backlog.ts';
import { measureStartUp } from './scenarios/s8-start-up.ts';
import type { Scenario } from './scenario.ts';

/** By the names that the command takes. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  S1: measureAddedTime,
  S2: measureLocate,
  S3: measureBlackHole,
  S4: measureReceiver,
  S5: measureWorker,
  S6: measureScaleOut,
  S7: measureBacklog,
  S8: measureStartUp,
  S10: measureColdDesk,
  S11: measureBurst,
  S12: measureLibraries,
  S14: measureDesk,
  S15: measureSizes,
  S17: measureHour,
  S18: measureNight,
};

/** Too long for a run of all: only where it is named, and in a smoke run. */
export const ONLY_BY_NAME: readonly string[] = ['S15', 'S17', 'S18'];
