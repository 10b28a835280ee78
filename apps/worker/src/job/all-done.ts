/** Waits for all of them, whatever becomes of each; then throws what the first one that failed threw. */
export async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}
