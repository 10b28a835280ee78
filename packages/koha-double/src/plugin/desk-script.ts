import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Double } from '../double.ts';
import { hasPatterns } from './receiver.ts';
import type { PageRequest } from '../staff-pages/staff-page.ts';

/**
 * The plugin's browser script, assembled from the files that its `files.json` names, as the plugin's `DeskScript.pm` assembles them;
 * they are read anew each time so that they can be worked on.
 */
export function readDeskScript(double: Double): string | null {
  const { pluginScriptPath: pluginScript } = double.files;
  if (pluginScript === undefined || !existsSync(pluginScript)) return null;
  const folder = dirname(pluginScript);
  const names = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as readonly string[];
  const parts = names.map((name) => `// ${name}.js\n${plain(join(folder, `${name}.js`))}\n`);
  return `(function () {\n'use strict';\n{\n${parts.join('')}}\n})();\n`;
}

/** A module's text for a scope that it shares with the others. */
function plain(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/^import [^;]+;\n+/gm, '')
    .replaceAll(/^export /gm, '');
}

/** What the plugin puts at the end of a staff page: the script, and what it needs to know for the panel. */
export function deskTags({ double, path, fields: query, language }: PageRequest): string {
  const { webhook, plugin, plugin_version } = double.settings;
  const { pluginScriptPath: pluginScript } = double.files;
  if (!plugin || webhook === null || pluginScript === undefined) return '';
  if (webhook.off?.includes('staff') === true) return '';
  const script = `<script src="/api/v1/contrib/passport/desk.js?v=${plugin_version}" defer></script>\n`;
  const op = query.get('op') ?? '';
  if (path.endsWith('/members/memberentry.pl') && ['add', 'add_form'].includes(op)) return script;
  const isForCard = path.endsWith('/members/member.pl') && query.get('circsearch') === '1';
  if (!isForCard && !path.endsWith('/circ/circulation.pl')) return '';
  const facts = JSON.stringify({
    version: plugin_version,
    library: webhook.library,
    patterns: webhook.patterns,
    anyCard: !hasPatterns(webhook.patterns),
    messages: messagesBeside(pluginScript, language),
  }).replaceAll('<', String.raw`\u003c`);
  return `<script type="application/json" id="passport-desk">${facts}</script>\n${script}`;
}

/** The texts of the page's language, or English, of the catalogue that lies beside the script. */
function messagesBeside(script: string, language: string): object {
  const file = join(dirname(script), 'messages.json');
  if (!existsSync(file)) return {};
  const catalogue = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
  const base = language.replace(/[^A-Za-z].*$/, '').toLowerCase();
  const shown = [language, base].find((key) => Object.hasOwn(catalogue, key)) ?? 'en';
  return { [shown]: catalogue[shown] };
}
