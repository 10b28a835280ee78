import { test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';
test('scrape', async () => {
  const c = await startConsortium({ libraries: threeLibraries, dashboards: 1 });
  try {
    const desk = c.at('riverside');
    for (let i = 0; i < 3; i++) {
      const a = await desk.scan({
        cardnumber: registerPatron(c.doubles.midland),
        item_barcode: shelveBook(c.doubles.riverside),
      });
      await desk.follow(a.eventId);
    }
    await writeFile('/tmp/mine/receiver.txt', await c.services.receivers[0]!.metrics());
    await writeFile('/tmp/mine/worker.txt', await c.services.workers[0]!.metrics());
    await writeFile('/tmp/mine/dashboard.txt', await c.services.dashboards[0]!.metrics());
  } finally {
    await c.stop();
  }
});
