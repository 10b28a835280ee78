export {
  type CopyElsewhere,
  readPatronElsewhere,
  readPatronsElsewhere,
  elsewhereTotals,
  elsewhereCsv,
  amountText,
} from './elsewhere.ts';
