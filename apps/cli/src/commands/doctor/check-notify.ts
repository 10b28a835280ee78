import type { NotifiedEndpoint } from '@passport/config';
import { addressOf } from '@passport/notify';
import { type Finding, fault } from './finding.ts';

/** Whether messages to operators are sent: an endpoint that answered 410 gets no more. */
export function checkNotify(
  endpoints: readonly NotifiedEndpoint[],
  stopped: Readonly<Record<string, string>>,
): Finding[] {
  return endpoints
    .filter((endpoint) => stopped[endpoint.name] === addressOf(endpoint))
    .map(({ name }) =>
      fault(
        'notify_stopped',
        `the endpoint ${name} of notify has answered 410: nothing more is sent there`,
        `correct its url, or make it accept messages again and run passport notify test --name ${name}`,
      ),
    );
}
