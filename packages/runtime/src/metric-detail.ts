/** A worker that has called each of these in every way has 15,000 series, and Prometheus has as many for each worker. */
const MOST_IN_DETAIL = 100;

/**
 * Whether the metrics of so many libraries are in detail. Otherwise histograms have few buckets and are not by library and
 * operation together, and a gauge of a library that is 0 is absent, with its limit.
 */
export const areInDetail = (libraries: number): boolean => libraries <= MOST_IN_DETAIL;
