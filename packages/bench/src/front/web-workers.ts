/** The web workers of one Koha: who comes when all are busy waits in line, first come, first served. */
export interface WebWorkers {
  /** Resolves when a worker is free; the caller must call `leave`. */
  enter(): Promise<void>;
  leave(): void;
}

export function buildWebWorkers(count: number): WebWorkers {
  const line: (() => void)[] = [];
  let free = count;
  return {
    enter() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        line.push(resolve);
      });
    },
    leave() {
      const next = line.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
