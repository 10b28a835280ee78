export {
  type CopyElsewhere,
  type ElsewhereTotals,
  readPatronElsewhere,
  readPatronsElsewhere,
  elsewhereTotals,
  elsewhereCsv,
} from './elsewhere.ts';
