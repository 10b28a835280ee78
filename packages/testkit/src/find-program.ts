import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program on the PATH, or null: a test that needs it is skipped then, with the reason in its name. */
export function findProgram(name: string): string | null {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, name));
  const runs = (file: string): boolean => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return places.find(runs) ?? null;
}
