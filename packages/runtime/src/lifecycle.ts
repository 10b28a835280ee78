import { type EventEmitter, setMaxListeners } from 'node:events';
import { within } from './deadline.ts';
import type { Logger } from './logger.ts';

interface Owned {
  readonly name: string;
  readonly close: () => Promise<unknown> | void;
  /** It bounds what it closes itself. */
  readonly part?: Lifecycle;
}

/**
 * Owns what a process has opened and closes it in reverse order, once. Until `deadline` is aborted (grace over, or
 * a second signal) a step may take what is left of the grace; after it, `stepMs` each. So a stop ends after
 * `graceMs + stepMs * things owned` at the latest.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #graceMs: number;
  readonly #stepMs: number;
  readonly #process: EventEmitter;
  readonly #whole: Lifecycle | undefined;
  readonly #owned: Owned[] = [];
  readonly #parts = new Set<Lifecycle>();
  readonly #stopping = new AbortController();
  readonly #deadline = new AbortController();
  #exit: (code: number) => void = () => undefined;
  #stopped: Promise<number> | undefined;
  #code = 0;
  #signals = 0;

  constructor(
    log: Logger,
    options: { graceMs: number; stepMs?: number; process?: EventEmitter; whole?: Lifecycle },
  ) {
    this.#log = log;
    this.#graceMs = options.graceMs;
    this.#stepMs = options.stepMs ?? 1_000;
    this.#process = options.process ?? process;
    this.#whole = options.whole;
    // Every job and call under way listens to them: more than Node's ten is no leak.
    setMaxListeners(Infinity, this.#stopping.signal, this.#deadline.signal);
  }

  /** True from the first call of `stop` on. */
  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Aborted when stopping begins: take nothing new. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborted when the grace is over or a second signal came: requeue what is unfinished, now. */
  get deadline(): AbortSignal {
    return this.#deadline.signal;
  }

  /** Registers how to close a thing, on the line after it was opened. Closed at once when already stopping. */
  own(name: string, close: Owned['close']): void {
    if (!this.stopping) this.#owned.push({ name, close });
    else void this.#closeOne({ name, close });
  }

  /**
   * A lifecycle for what is replaced while the process goes on. When it is stopped alone it has a grace of its own; else it stops
   * with the process, and has the process's.
   */
  part(name: string, graceMs: number): Lifecycle {
    const part = new Lifecycle(this.#log, { graceMs, stepMs: this.#stepMs, whole: this });
    const close = (): Promise<number> => part.stop('the process stops');
    if (this.stopping) void close();
    else this.#owned.push({ name, close, part });
    this.#parts.add(part);
    if (this.#deadline.signal.aborted) part.#abort();
    return part;
  }

  /** SIGHUP: the configuration is to be taken over. */
  onReload(reload: () => void): void {
    this.#process.on('SIGHUP', reload);
  }

  /** SIGTERM and SIGINT stop the process, an unhandled error stops it with exit code 1. `exit` is called last. */
  onSignals(exit: (code: number) => void): void {
    this.#exit = exit;
    for (const name of ['SIGTERM', 'SIGINT']) this.#process.on(name, () => this.#onSignal(name));
    this.#process.on('uncaughtException', (error: unknown) => this.fail(error));
    this.#process.on('unhandledRejection', (error: unknown) => this.fail(error));
  }

  /** Logs a failure nobody handles and stops the process with exit code 1. */
  fail(error: unknown): void {
    this.#log.fatal({ error }, 'stopping after an unhandled failure');
    this.giveUp('failure');
  }

  /** Stops the process with exit code 1, so that it is started again. The caller has logged why. */
  giveUp(reason: string): void {
    this.#code = 1;
    void this.stop(reason).then(() => this.#exit(this.#code));
  }

  /** Closes everything, once; returns the exit code: 0, or 1 when a step failed or did not end in time. */
  stop(reason: string): Promise<number> {
    this.#stopped ??= this.#closeAll(reason);
    return this.#stopped;
  }

  #onSignal(name: string): void {
    this.#signals += 1;
    if (this.#signals === 1) void this.stop(name).then((code) => this.#exit(code));
    else if (this.#signals === 2) this.#abort();
    else this.#exit(1);
  }

  async #closeAll(reason: string): Promise<number> {
    const startedAt = performance.now();
    this.#stopping.abort();
    // A part that stops with its process has what is left of the process's grace.
    const isPartOfStop = this.#whole?.stopping === true;
    const grace = isPartOfStop ? undefined : setTimeout(() => this.#abort(), this.#graceMs);
    for (let next = this.#owned.pop(); next !== undefined; next = this.#owned.pop())
      await this.#closeOne(next);
    clearTimeout(grace);
    if (this.#whole !== undefined) this.#whole.#disown(this);
    const code = this.#code;
    const level = this.#whole === undefined ? 'info' : 'debug';
    this.#log[level]({ reason, code, ms: Math.round(performance.now() - startedAt) }, 'stopped');
    return code;
  }

  #abort(): void {
    this.#deadline.abort();
    for (const part of this.#parts) part.#abort();
  }

  #disown(part: Lifecycle): void {
    this.#parts.delete(part);
    if (!this.stopping) this.#owned.splice(0, Infinity, ...this.#owned.filter((each) => each.part !== part));
  }

  async #closeOne(step: Owned): Promise<void> {
    try {
      if (step.part === undefined) await this.#bounded(step);
      else if ((await step.close()) !== 0) this.#code = 1;
    } catch (error) {
      this.#code = 1;
      this.#log.error({ step: step.name, error }, 'closing failed');
    }
  }

  /** Waits for the step; once the deadline is aborted, `stepMs` longer. */
  async #bounded(step: Owned): Promise<void> {
    const closing = Promise.resolve().then(step.close);
    closing.catch(() => undefined);
    if (!this.#deadline.signal.aborted) {
      await Promise.race([closing, aborted(this.#deadline.signal, closing)]);
    }
    if (this.#deadline.signal.aborted) await within(this.#stepMs, closing, `closing ${step.name}`);
    else await closing;
  }
}

/** Resolves when the signal is aborted; stops listening when `until` settles. */
function aborted(signal: AbortSignal, until: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = () => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    const forget = () => signal.removeEventListener('abort', onAbort);
    until.then(forget, forget);
  });
}
