import type { Readable } from 'node:stream';
import type { FileChange } from '../connect/change-files.ts';

/** Everything of the outside that a command may touch; main.ts gives the real ones. */
export interface CliDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (path: string) => string;
  /** Writes a text file, which only its owner may read; replaces one that is there. */
  readonly writeFile: (path: string, text: string) => void;
  /** Changes files of this installation, all or none (connect/change-files.ts). */
  readonly changeFiles: (changes: readonly FileChange[]) => void;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Standard output: the result. */
  readonly out: (text: string) => void;
  /** Standard error: all else. */
  readonly err: (text: string) => void;
  /** Of standard output: lines have a width, and show progress. */
  readonly isTerminal: boolean;
  /** Of standard error; where it is none, what it gets is a log. As `isTerminal` where it is not given. */
  readonly isErrTerminal?: boolean;
  /** Where output is a terminal; as `isTerminal` where it is not given. */
  readonly hasColors?: boolean;
  /** Of the terminal; 80 where it does not say. */
  readonly columns?: number;
  /** Of this program, as its package says. */
  readonly version: string;
  /** Who calls, for the audit. */
  readonly user: string;
  readonly fetch: typeof fetch;
  /** The addresses that the name of a host stands for; rejects where it stands for none. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly randomBytes: (length: number) => Buffer;
  /** Keeps an audit line for `passport audit`; `runCli` has it. */
  readonly keepAct?: (line: Readonly<Record<string, unknown>>) => void;
  /** Ends when the person does not want to wait any longer. */
  readonly signal: AbortSignal;
  /** Called by a command that ends by itself after that, however long what it has in hand takes; others are ended. */
  readonly endsItself?: () => void;
}
