import type { Release } from '../release.ts';
import type { Operation, OperationSpec, Parameter } from './operation.ts';

/** A route's description with its query parameters by name: lists have some eighty, of which a request uses two. */
export interface IndexedSpec extends OperationSpec {
  readonly queryParameters: ReadonlyMap<string, Parameter>;
  /** Those that a look is taken at even when they were not sent. */
  readonly otherParameters: readonly Parameter[];
}

const cache = new WeakMap<Operation, Map<Release, IndexedSpec>>();

/** The description of a route in a release, built once. */
export function specOf(operation: Operation, release: Release): IndexedSpec {
  const known = cache.get(operation) ?? new Map<Release, IndexedSpec>();
  cache.set(operation, known);
  const found = known.get(release);
  if (found !== undefined) return found;
  const built = indexed(operation.spec(release));
  known.set(release, built);
  return built;
}

function indexed(spec: OperationSpec): IndexedSpec {
  const inQuery = spec.parameters.filter((parameter) => parameter.in === 'query');
  return {
    ...spec,
    queryParameters: new Map(inQuery.map((parameter) => [parameter.name, parameter])),
    otherParameters: spec.parameters.filter((parameter) => parameter.in !== 'query' || parameter.required),
  };
}
