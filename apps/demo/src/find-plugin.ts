import { execFile } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The parts of the Koha plugin that the stand-ins offer. */
export interface PluginParts {
  /** Where the browser script of the staff pages begins. */
  readonly pluginScriptPath: string;
  /** The package to upload to a real Koha; not there where make or zip is not. */
  readonly kpzPath?: string;
}

/** Finds the plugin under `root`, packing it first if this machine can. */
export async function findPlugin(root: string, env: NodeJS.ProcessEnv): Promise<PluginParts> {
  const dir = join(root, 'apps/koha-plugin');
  const pluginScriptPath = join(dir, 'Koha/Plugin/Org/PatronPassport/desk/main.js');
  await access(pluginScriptPath);
  try {
    await promisify(execFile)('make', ['--directory', dir], { env });
    const packed = await readdir(join(dir, 'dist'));
    const kpz = packed
      .filter((name) => name.endsWith('.kpz'))
      .sort()
      .at(-1);
    return kpz === undefined ? { pluginScriptPath } : { pluginScriptPath, kpzPath: join(dir, 'dist', kpz) };
  } catch {
    return { pluginScriptPath };
  }
}
