import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Double } from '../double.ts';

/** The plugin's browser script as it is on disk, read anew each time so that it can be worked on. */
export function readDeskScript(double: Double): string | null {
  const { pluginScript } = double.files;
  return pluginScript === undefined || !existsSync(pluginScript) ? null : readFileSync(pluginScript, 'utf8');
}

/** What the plugin puts at the end of a staff page: what the script needs to know, and the script. */
export function deskTags(double: Double, path: string, query: URLSearchParams): string {
  const { webhook, plugin, plugin_version } = double.settings;
  const { pluginScript } = double.files;
  const isWanted = path.endsWith('/members/member.pl') && query.get('circsearch') === '1';
  if (!plugin || webhook === null || pluginScript === undefined || !isWanted) return '';
  const facts = JSON.stringify({
    version: plugin_version,
    library: webhook.library,
    patterns: webhook.patterns,
    messages: messagesBeside(pluginScript),
  }).replaceAll('<', String.raw`\u003c`);
  return (
    `<script type="application/json" id="passport-desk">${facts}</script>\n` +
    `<script src="/api/v1/contrib/passport/desk.js?v=${plugin_version}" defer></script>\n`
  );
}

/** The catalogue of translations lies beside the script. */
function messagesBeside(script: string): unknown {
  const file = join(dirname(script), 'messages.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : {};
}
