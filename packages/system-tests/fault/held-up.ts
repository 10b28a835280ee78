/** Where one of a handful of scans waits for the deadline of another library's call, all of them take this much longer on average. */
const NOTICED_MS = 250;

/**
 * Whether scans that took `usualMs` on average were held up by what happened beside them. A scan between doubles takes some
 * 30 ms, so that 10 MB that somebody has to read double it on a busy machine: the delay has to be one that a desk notices.
 */
export const isHeldUp = ({ usualMs, besideMs }: { usualMs: number; besideMs: number }): boolean =>
  besideMs > 2 * usualMs && besideMs - usualMs > NOTICED_MS;
