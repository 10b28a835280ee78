import { spawn } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { kohaVersions } from './about.ts';
import { pluginDataOf, webhookOf, type PluginData } from './plugin-data.ts';

/** A request for a page of the plugin, with what the staff interface puts around it. */
export interface PerlPageRequest {
  readonly method: 'GET' | 'POST';
  readonly run: 'tool' | 'configure';
  readonly form: string;
  readonly language: string;
  readonly csrfToken: string;
  readonly branch: string;
  readonly parts: Readonly<Record<string, string>>;
}

const limitMs = 15_000;
/** Codes of attribute types have so many characters before 24.11. */
const shortCode = 10;
const longCode = 64;

/**
 * Runs a page of the plugin by its own Perl code (apps/koha-plugin, t/bin/plugin-page.pl) and takes over what a POST
 * has stored, as the next scan of a real Koha would. Rejects when Perl, or a module, is not there.
 */
export async function runPerlPage(
  double: Double,
  program: string,
  request: PerlPageRequest,
): Promise<string> {
  const { method, run, form, language, csrfToken, branch, parts } = request;
  const { patrons } = double.db;
  const chosen = patrons.withCard(double.settings.plugin_service_user ?? '');
  const before = pluginDataOf(double.settings.webhook, chosen?.patron_id ?? null);
  const koha = { ...factsOf(double), branch };
  const input = { method, run, form, language, csrf_token: csrfToken, parts, data: before, koha };
  const output: unknown = JSON.parse(await runPerl(program, JSON.stringify(input)));
  if (!isRecord(output) || typeof output['html'] !== 'string' || !isRecord(output['data'])) {
    throw new Error('the plugin’s page came out as something else');
  }
  const after = output['data'] as PluginData;
  // Perl's hashes have no order. What is not changed is not taken over: other settings may have come while the page ran.
  if (method === 'POST' && !isDeepStrictEqual(after, before)) {
    double.settings.webhook = webhookOf(after);
    const user = patrons.get(Number(after['service_user']));
    double.settings.plugin_service_user = user?.columns.cardnumber ?? null;
  }
  return output['html'];
}

function factsOf({ settings, db }: Double): object {
  return {
    version: kohaVersions[settings.release],
    code_length: isFrom(settings.release, '24.11') ? longCode : shortCode,
    preferences: settings.preferences,
    plack_workers: settings.plack_workers,
    types: [...db.attributeTypes.values()],
    categories: [...db.categories.keys()],
    branches: [...db.libraries.keys()],
    users: [...db.patrons.rows()].flatMap(({ patron_id: id, columns, api_keys: keys, permissions }) =>
      keys.some(({ active }) => active)
        ? [{ id, userid: columns.userid, permissions: [...permissions] }]
        : [],
    ),
  };
}

function runPerl(program: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const perl = spawn('perl', [program], { timeout: limitMs });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    perl.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    perl.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    perl.once('error', reject);
    perl.stdin.once('error', () => undefined);
    perl.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else reject(new Error(Buffer.concat(errors).toString('utf8').trim() || `perl ended with ${code}`));
    });
    perl.stdin.end(input);
  });
}
