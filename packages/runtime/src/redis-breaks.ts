import type { Redis } from './redis.ts';

/**
 * Counts how often one of these connections was lost, from now on. Whoever wrote on one and then on the other, or twice on
 * the same, can see by it whether both writes surely met the same Redis: after a failover the first may be gone.
 */
export function countRedisBreaks(connections: readonly Redis[]): () => number {
  let breaks = 0;
  const note = (): void => {
    breaks += 1;
  };
  for (const connection of connections) {
    connection.on('close', note);
    // A cluster stays open when it loses a node.
    connection.on('-node', note);
  }
  return () => breaks;
}
