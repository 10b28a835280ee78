export {
  MOST_FORMER_KEYS,
  type CopyRecord,
  readCopyRecords,
  type ReadCopyRecords,
  buildCopyRecordReader,
  noteCopiesSeen,
  findCopyOf,
  rekeyCopyRecord,
  dropCopyRecords,
  findCopyRecords,
  homesOnRecord,
  scanCopyRecords,
  trimCopyRecords,
} from './copy-records.ts';
export {
  type FoundCopy,
  type OpenFinding,
  NO_NUMBER,
  noteFindings,
  pruneFindings,
  readFindings,
  keepFindings,
} from './findings.ts';
export { type BegunDeletion, beginDeletion, readDeletions, dropDeletion } from './deletions.ts';
export {
  type DisclosureReceipt,
  type StoredReceipt,
  type Receipts,
  openReceipts,
  trimReceipts,
  readReceipts,
  readStoredReceipts,
  removeReceipts,
} from './receipts.ts';
export {
  librariesWithUnremembered,
  noteUnremembered,
  readUnremembered,
  dropUnremembered,
  lockUnremembered,
} from './unremembered.ts';
export { type CopyRefresh, type TakenCopy, type SeenCopies, openSeenCopies } from './refreshes.ts';
