import type { Tracing } from '@passport/runtime';
import type { Acceptance } from './accept-event.ts';
import type { Delivery } from './authentication.ts';

/**
 * Takes each delivery in a span of its own, which begins the event's trace: a `traceparent` of the sender is not signed,
 * so it is not taken. What a sender calls itself is only logged when it is known to us.
 */
export function tracedAccept(
  accept: (delivery: Delivery) => Promise<Acceptance>,
  tracing: Tracing,
  isKnown: (library: string) => boolean,
): (delivery: Delivery) => Promise<Acceptance> {
  return (delivery) =>
    tracing.within(
      () => ({
        name: 'POST /webhooks/{library}',
        kind: 'server',
        facts: { library: isKnown(delivery.library) ? delivery.library : 'unknown' },
      }),
      async (annotate) => {
        const acceptance = await accept(delivery);
        const { kind: outcome } = acceptance;
        annotate('eventId' in acceptance ? { outcome, event: acceptance.eventId } : { outcome });
        return acceptance;
      },
    );
}
