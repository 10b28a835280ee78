import { Writable } from 'node:stream';
import { createLogger, type Logger } from '@passport/runtime';

/** A logger whose lines can be read. */
export function capturedLog(level = 'trace'): {
  log: Logger;
  text: () => string;
  lines: () => Record<string, unknown>[];
} {
  const chunks: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const text = () => chunks.join('');
  const lines = () =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: createLogger({ name: 'test', level, destination }), text, lines };
}
