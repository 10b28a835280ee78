import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Double } from '../double.ts';
import { transformCard } from '../patrons/patron-columns.ts';
import { hasPatterns } from './receiver.ts';
import type { PageRequest } from '../staff-pages/staff-page.ts';
import { standingOf } from './copy-routes.ts';

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

/** What the plugin puts into the head of a staff page that takes scans: what holds the keys that come before the script. */
export function deskHead({ double, path, fields: query, nonce }: PageRequest): string {
  const { webhook, plugin, content_security_policy: policy } = double.settings;
  const { pluginScriptPath: pluginScript } = double.files;
  if (!plugin || webhook === null || pluginScript === undefined || webhook.off?.includes('staff') === true)
    return '';
  const isForCard = path.endsWith('/members/member.pl') && query.get('circsearch') === '1';
  const file = join(dirname(pluginScript), '..', 'first-keys.js');
  if (!existsSync(file) || !(isForCard || path.endsWith('/circ/circulation.pl'))) return '';
  const script = readFileSync(file, 'utf8').replace(/^\/\*.*?\*\/\n/s, '');
  return `<script${policy === '' ? '' : ` nonce="${nonce}"`}>\n${script}</script>\n`;
}

/** What the plugin puts at the end of a staff page: the script, and what it needs to know for the panel, or for the standing of a copy. */
export function deskTags(request: PageRequest): string {
  const { double, path, fields: query, language, session, isFromElsewhere } = request;
  const { webhook, plugin, plugin_version } = double.settings;
  const { pluginScriptPath: pluginScript } = double.files;
  if (!plugin || webhook === null || pluginScript === undefined) return '';
  const serves = (source: 'staff' | 'copies'): boolean => webhook.off?.includes(source) !== true;
  const script = `<script src="/api/v1/contrib/passport/desk.js?v=${plugin_version}" defer></script>\n`;
  const op = query.get('op') ?? '';
  if (path.endsWith('/members/memberentry.pl') && ['add', 'add_form'].includes(op))
    return serves('staff') ? script : '';
  const isCheckout = path.endsWith('/circ/circulation.pl');
  const isForCard = path.endsWith('/members/member.pl') && query.get('circsearch') === '1';
  if (!isForCard && !isCheckout) return '';
  const standing = isCheckout && serves('copies') ? standingOnPage(request) : null;
  const facts: string[] = [];
  if (standing !== null) {
    const messages = messagesBeside(pluginScript, language, /^(?:standing|reason)\./);
    facts.push(factsTag('standing', { standing, messages }));
  }
  if (serves('staff')) {
    const { library, patterns } = webhook;
    const messages = messagesBeside(pluginScript, language);
    const anyCard = !hasPatterns(patterns);
    const staff = session.patronId;
    const cards = { patterns, anyCard, ...(isFromElsewhere ? { isFromElsewhere } : {}) };
    facts.push(factsTag('desk', { version: plugin_version, library, staff, ...cards, messages }));
  }
  return facts.length > 0 ? facts.join('') + script : '';
}

function factsTag(name: string, facts: object): string {
  const json = JSON.stringify(facts).replaceAll('<', String.raw`\u003c`);
  return `<script type="application/json" id="passport-${name}">${json}</script>\n`;
}

/** Of the copy whose checkout the page shows, by its number or the card that was scanned. */
function standingOnPage({ double, fields }: PageRequest) {
  const number = fields.get('borrowernumber') ?? '';
  const card = (fields.get('findborrower') ?? '').trim();
  const id = number === '' ? double.db.patrons.withCard(transformCard(double, card))?.patron_id : number;
  return id === undefined ? null : standingOf(double, Number(id));
}

/** The texts of the page's language, or English, of the catalogue that lies beside the script; those whose names fit. */
function messagesBeside(script: string, language: string, wanted = /^/): object {
  const file = join(dirname(script), 'messages.json');
  if (!existsSync(file)) return {};
  const catalogue = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, object>>;
  const base = language.replace(/[^A-Za-z].*$/, '').toLowerCase();
  const shown = [language, base].find((key) => Object.hasOwn(catalogue, key)) ?? 'en';
  const texts = Object.entries(catalogue[shown] ?? {}).filter(([name]) => wanted.test(name));
  return { [shown]: Object.fromEntries(texts) };
}
