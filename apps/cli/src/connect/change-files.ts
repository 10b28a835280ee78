import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../program/failure.ts';

/** A file as it is to be; `before` is what it was decided by: null where it must not be there. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
}

/** Where a file is made before it takes its place: beside the file itself, also where `path` is a link. */
const placeOf = (path: string): string => (existsSync(path) ? realpathSync(path) : path);

/** Makes the file beside its place, or nothing at all: what was there before stays. */
function stage({ after }: FileChange, place: string): void {
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  // Made anew or not at all: of two commands at once, or one that was broken off, the second stops here.
  const file = openSync(`${place}.new`, 'wx', 0o600);
  try {
    // Not `writeSync`: on a disk that is nearly full it writes a part, and says so in its result alone.
    writeFileSync(file, after);
    fsyncSync(file);
    if (existsSync(place)) {
      const { mode, uid, gid } = statSync(place);
      if (process.getuid?.() === 0) fchownSync(file, uid, gid);
      fchmodSync(file, mode & 0o777);
    }
  } catch (error) {
    rmSync(`${place}.new`, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

const isAsBefore = ({ before }: FileChange, place: string): boolean =>
  before === null ? !existsSync(place) : existsSync(place) && readFileSync(place, 'utf8') === before;

function failureOf(error: unknown, path: string): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (code === 'EEXIST')
    return new Failure(
      `${path}.new is there already: another command is at work, or was broken off; then remove it`,
      { code: 'files' },
    );
  return /^E[A-Z]+$/.test(code)
    ? new Failure(`${path} cannot be written (${code})`, { code: 'files' })
    : error;
}

/** `rename` of node:fs; a test has another one. */
type Move = (from: string, to: string) => void;

/** A change, and where it is made. */
interface Placed extends FileChange {
  readonly place: string;
}

/** Puts back what was moved, the last one first; returns what must be done by hand. */
function putBack(moved: readonly Placed[], move: Move): string[] {
  return moved.toReversed().flatMap(({ path, place, before }) => {
    let isStaged = false;
    try {
      if (before === null) rmSync(place);
      else {
        stage({ path, before, after: before }, place);
        isStaged = true;
        move(`${place}.new`, place);
      }
      return [];
    } catch {
      if (isStaged) rmSync(`${place}.new`, { force: true });
      const remedy = before === null ? 'remove it' : 'take out what is new there';
      return [`${path} has been changed, and could not be put back: ${remedy}`];
    }
  });
}

/**
 * Changes files: all are written beside their places first, and then moved there, in this order; a new one has the mode 0600, another keeps its own. Throws
 * Failure, and leaves everything as it was, where one cannot be written, is changed meanwhile, or another command changes the first at this moment; what
 * could not be put back, it names.
 */
export function changeFiles(changes: readonly FileChange[], move: Move = renameSync): void {
  const staged: string[] = [];
  const moved: Placed[] = [];
  let current = '';
  try {
    const placed = changes.map((change): Placed => ({ ...change, place: placeOf(change.path) }));
    // What is moved last is made first: it is the one that other commands would change as well.
    for (const change of placed.toReversed()) {
      current = change.path;
      stage(change, change.place);
      staged.push(change.place);
    }
    for (const change of placed) {
      if (!isAsBefore(change, change.place))
        throw new Failure(
          `${change.path} has changed meanwhile, or is there already: nothing was written (one that a command left behind that was broken off can be removed)`,
          {
            code: 'files',
          },
        );
    }
    for (const change of placed) {
      const { path, place } = change;
      current = path;
      move(`${place}.new`, place);
      staged.splice(staged.indexOf(place), 1);
      moved.push(change);
    }
  } catch (error) {
    const failure = error instanceof Failure ? error : failureOf(error, current);
    const left = putBack(moved, move);
    // Last: as long as one of them is there, no other command begins.
    for (const place of staged) rmSync(`${place}.new`, { force: true });
    if (left.length === 0 || !(failure instanceof Failure)) throw failure;
    throw new Failure([failure.message, ...left].join('; '), failure.details);
  }
}
