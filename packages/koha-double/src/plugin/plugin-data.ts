import { pluginSources, type WebhookSettings } from '../settings.ts';
import { defaultPattern } from './card-shape.ts';

/** The rows of Koha's `plugin_data` that hold the plugin's settings. */
export type PluginData = Readonly<Record<string, string>>;

/** The settings of the plugin side, as the plugin itself would have stored them. */
export function pluginDataOf(webhook: WebhookSettings | null, serviceUser: number | null): PluginData {
  const chosen = { service_user: String(serviceUser ?? '') };
  if (webhook === null) return chosen;
  const isOn = (source: (typeof pluginSources)[number]): boolean => webhook.off?.includes(source) !== true;
  const patterns = webhook.patterns.filter((pattern) => pattern !== defaultPattern);
  return {
    ...chosen,
    receiver_url: webhook.receiver_url,
    library: webhook.library,
    secret: webhook.secret,
    card_patterns: patterns.join('\n'),
    staff_wait: String(webhook.staff_wait_ms),
    self_check_wait: String(webhook.self_check_wait_ms),
    ...Object.fromEntries(pluginSources.map((source) => [source, isOn(source) ? '1' : '0'])),
  };
}

/** The settings that the plugin has stored; null where it was never set up. */
export function webhookOf(data: PluginData): WebhookSettings | null {
  if (data['receiver_url'] === undefined) return null;
  const patterns = (data['card_patterns'] ?? '').split('\n').filter((pattern) => pattern !== '');
  return {
    receiver_url: data['receiver_url'],
    library: data['library'] ?? '',
    secret: data['secret'] ?? '',
    patterns: patterns.length === 0 ? [defaultPattern] : patterns,
    staff_wait_ms: Number(data['staff_wait'] ?? 1_500),
    self_check_wait_ms: Number(data['self_check_wait'] ?? 3_000),
    off: pluginSources.filter((source) => data[source] === '0'),
  };
}
