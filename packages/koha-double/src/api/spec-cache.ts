import type { Release } from '../release.ts';
import type { Operation, OperationSpec } from './operation.ts';

const cache = new WeakMap<Operation, Map<Release, OperationSpec>>();

/** The description of a route in a release, built once. */
export function specOf(operation: Operation, release: Release): OperationSpec {
  const known = cache.get(operation) ?? new Map<Release, OperationSpec>();
  cache.set(operation, known);
  const found = known.get(release);
  if (found !== undefined) return found;
  const built = operation.spec(release);
  known.set(release, built);
  return built;
}
