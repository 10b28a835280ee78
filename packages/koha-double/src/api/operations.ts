import { checkoutRoutes } from '../checkouts/checkout-routes.ts';
import type { Double } from '../double.ts';
import { itemRoutes } from '../items/item-routes.ts';
import { attributeRoutes } from '../patrons/attribute-routes.ts';
import { patronRoutes } from '../patrons/patron-routes.ts';
import { pluginRoutes } from '../plugin/plugin-routes.ts';
import { isFrom } from '../release.ts';
import { ruleRoutes } from '../setup/rule-routes.ts';
import { setupRoutes } from '../setup/setup-routes.ts';
import type { Operation } from './operation.ts';

/** Every API route of any release, the token route and the description itself apart. */
export const operations: readonly Operation[] = [
  ...patronRoutes,
  ...attributeRoutes,
  ...itemRoutes,
  ...checkoutRoutes,
  ...setupRoutes,
  ...ruleRoutes,
  ...pluginRoutes,
];

/** Whether this Koha has the route: its release may be too old, or the plugin not installed. */
export function isThere(double: Double, operation: Operation): boolean {
  if (operation.plugin === true && !double.settings.plugin) return false;
  return operation.since === undefined || isFrom(double.settings.release, operation.since);
}
