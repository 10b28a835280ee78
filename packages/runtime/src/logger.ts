import { pino, type Bindings, type Logger as PinoLogger } from 'pino';
import { type LogHealth, type LogOutput, openLogOutput } from './log-output.ts';
import { looksLikeError, plainError } from './plain-error.ts';
import { plainFields, plainValue } from './plain-fields.ts';
import { plainText } from './plain-text.ts';

/** The one logger type of all processes. One wide line per finished thing: fields first, then a short sentence. */
export type Logger = PinoLogger & {
  /** Of the logger that {@link createLogger} made, whatever child of it is used. */
  readonly health: LogHealth;
  /** Resolves once the lines so far have left the process, with those of others, within so many milliseconds. */
  written(withinMs: number): Promise<void>;
};

/**
 * A logger that writes JSON lines with an ISO `time`, a level by name and the process's `name`. Whatever it is
 * given, it prints no causes, no enumerable properties of errors, no URLs, bodies or arguments of commands; an
 * error is `{type, code?, message, stack}` with the stack's frames only. With `gatherMs` the lines of so many
 * milliseconds are written together (a write each costs a busy process more than everything else about a line): call
 * `flush()` before exiting. A fatal line is always written at once.
 */
export function createLogger(options: {
  name: string;
  level: string;
  gatherMs?: number;
  destination?: NodeJS.WritableStream | LogOutput;
}): Logger {
  const stream = options.destination ?? openLogOutput({ gatherMs: options.gatherMs ?? 0 });
  const logger = pino(
    {
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method) {
          method.apply(this, plainArguments(args));
        },
      },
    },
    stream,
  );
  return withPlainBindings(withOutput(logger, stream));
}

/** A stream of a caller's own is the caller's to watch, and has what it was given. */
const WELL: LogHealth = { isFailing: false, lost: { audit: 0, other: 0 } };

function withOutput(logger: PinoLogger, stream: NodeJS.WritableStream | LogOutput): Logger {
  const isWatched = 'onProbe' in stream;
  if (isWatched) {
    const { lost } = stream;
    stream.onProbe(() => logger.error({ lost: lost.other, lost_audit: lost.audit }, 'log lines were lost'));
  }
  const written = (withinMs: number): Promise<void> =>
    isWatched ? stream.written(withinMs) : Promise.resolve();
  return Object.assign(logger, { health: isWatched ? stream : WELL, written });
}

/** `log.info(error)`, `log.info(fields, sentence)` and `log.info(sentence, ...values)` all end up printable. */
function plainArguments(args: readonly unknown[]): [obj: unknown, msg?: string, ...values: unknown[]] {
  const [first, ...others] = args;
  if (looksLikeError(first)) {
    const error = plainError(first);
    const sentence = typeof others[0] === 'string' ? plainText(others[0]) : error.message;
    return [{ error }, sentence, ...others.slice(1).map((value) => plainValue(value))];
  }
  if (typeof first === 'object' && first !== null) {
    return [plainFields({ ...first }), ...others.map((value) => plainValue(value))] as [unknown, string];
  }
  return [plainValue(first), ...others.map((value) => plainValue(value))] as [unknown, string];
}

/** pino runs no formatter of ours over the bindings of a child, so the child is made from a safe copy. */
function withPlainBindings(logger: Logger): Logger {
  const original = Object.getPrototypeOf(logger) as Logger;
  Object.defineProperty(logger, 'child', {
    value(this: Logger, bindings: Bindings, childOptions?: Parameters<Logger['child']>[1]) {
      return original.child.call(this, plainFields(bindings), childOptions);
    },
  });
  return logger;
}
