import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a library that is invited downloads, as the build has made it (scripts/make-join-files.mjs). */
export interface JoinFiles {
  /** The guide, as HTML without a page around it; null: this build has none. */
  readonly guide: string | null;
  /** Null: this build has none. */
  readonly plugin: { readonly name: string; readonly bytes: Buffer } | null;
}

const PLUGIN = /^patron-passport-\d+\.\d+\.\d+\.kpz$/;

/** Reads what is in a folder, once: nothing that a request says is ever a path. */
export function readJoinFiles(folder: string): JoinFiles {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return { guide: null, plugin: null };
  }
  const plugin = names.find((name) => PLUGIN.test(name));
  return {
    guide: names.includes('guide.html') ? readFileSync(join(folder, 'guide.html'), 'utf8') : null,
    plugin: plugin === undefined ? null : { name: plugin, bytes: readFileSync(join(folder, plugin)) },
  };
}
