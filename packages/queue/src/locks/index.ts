export { type OwnedLock, openOwnedLock } from './owned-lock.ts';
export { type LockOwner, type ReleaseLock, type PatronLocks, openPatronLocks } from './patron-lock.ts';
export { type PlaceOwner, type CreatePlace, type CreatePlaces, openCreatePlaces } from './create-place.ts';
export { type CreateClaim, type ClaimResult, type ClaimCreate, buildClaimCreate } from './create-claim.ts';
