export { ACTS, type ActName, actOf } from './act.ts';
export { actJson, detailsText, actsCsv } from './acts-csv.ts';
export {
  type ListedAct,
  type ActSearch,
  ANY_ACT,
  type FoundActs,
  isActPlace,
  findActs,
  trimActs,
} from './find-acts.ts';
export { type ActKeeper, openActKeeper, startAudit } from './keep-acts.ts';
