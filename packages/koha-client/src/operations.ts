/** What a client can do: each of these functions becomes a method of the client, and takes the session first. */
export { availability, checkOut } from './checkouts/check-out.ts';
export { findCheckout, findItem } from './checkouts/find-item.ts';
export {
  addAttribute,
  changeAttribute,
  probeAttributeTypeByRefusal,
  removeAttribute,
} from './patrons/attributes.ts';
export {
  findByAttribute,
  findByCard,
  hasPossibleDuplicate,
  isAttributeTaken,
  isCardTaken,
  readPatron,
  visiblePatrons,
} from './patrons/find-patrons.ts';
export { listCopies, readCopies, readPatrons } from './patrons/list-patrons.ts';
export { changePatron, createPatron } from './patrons/write-patron.ts';
export { deleteCopy, readDeletionFacts } from './plugin/copy-deletions.ts';
export { readLoans } from './plugin/loans.ts';
export { readOwed } from './plugin/owed.ts';
export { about, checkPlugin, reportOutcome } from './plugin/plugin-routes.ts';
export { noteChecked, readRememberedCopies, rememberCopy } from './plugin/remembered-copies.ts';
export {
  liftRestriction,
  listRestrictions,
  readPatronRestrictions,
  setRestriction,
  takesRestrictions,
} from './plugin/restrictions.ts';
export {
  checkIn,
  findBiblios,
  makeBiblio,
  makeItem,
  removeBiblio,
  removeItem,
} from './rehearsal/catalogue.ts';
export { charge, findBySurname, removePatron } from './rehearsal/people.ts';
export { setRules } from './rehearsal/rules.ts';
export { reach } from './setup/reach.ts';
export { branches, categories, knowsApiKey, storedRules } from './setup/set-up-reads.ts';
