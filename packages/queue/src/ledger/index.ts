export { type QuotaReservation, type Ledger, openLedger } from './ledger.ts';
export { hourUseOf, readHourUse } from './hour-use.ts';
export { takeRefreshQuota } from './refresh-quota.ts';
