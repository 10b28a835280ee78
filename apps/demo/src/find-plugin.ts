import { execFile } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The parts of the Koha plugin that the stand-ins offer. */
export interface PluginParts {
  /** Where the browser script of the staff pages begins. */
  readonly pluginScriptPath: string;
  /** The program that runs the plugin's own pages; not there where Perl, or a module of its, is not. */
  readonly pluginPagesPath?: string;
  /** The package to upload to a real Koha; not there where make or zip is not. */
  readonly kpzPath?: string;
}

/** Finds the plugin under `root`, packing it first if this machine can. */
export async function findPlugin(root: string, env: NodeJS.ProcessEnv): Promise<PluginParts> {
  const dir = join(root, 'apps/koha-plugin');
  const pluginScriptPath = join(dir, 'Koha/Plugin/Org/PatronPassport/desk/main.js');
  await access(pluginScriptPath);
  return { pluginScriptPath, ...(await findPages(dir, env)), ...(await packPlugin(dir, env)) };
}

/** What `scripts/system-packages.mjs` installs for it, where it may. */
const PAGE_MODULES = ['Modern::Perl', 'Mojo::UserAgent', 'DBD::SQLite', 'CGI', 'Template'];

async function findPages(dir: string, env: NodeJS.ProcessEnv): Promise<Pick<PluginParts, 'pluginPagesPath'>> {
  try {
    await run('perl', [...PAGE_MODULES.map((name) => `-M${name}`), '-e', '1'], { env });
    return { pluginPagesPath: join(dir, 't/bin/plugin-page.pl') };
  } catch {
    return {};
  }
}

async function packPlugin(dir: string, env: NodeJS.ProcessEnv): Promise<Pick<PluginParts, 'kpzPath'>> {
  try {
    await run('make', ['--directory', dir], { env });
    const packed = await readdir(join(dir, 'dist'));
    const kpz = packed
      .filter((name) => name.endsWith('.kpz'))
      .sort()
      .at(-1);
    return kpz === undefined ? {} : { kpzPath: join(dir, 'dist', kpz) };
  } catch {
    return {};
  }
}
