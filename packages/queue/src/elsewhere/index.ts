export {
  type CopyElsewhere,
  readPatronElsewhere,
  readPatronsElsewhere,
  elsewhereTotals,
  elsewhereCsv,
} from './elsewhere.ts';
