import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Service } from '../src/service.ts';
import { createRegistry, type Registry } from './setup/registry.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
});
afterAll(() => registry.close());

const daemons = async () =>
  (await registry.query<{ count: number }>('select count(*)::int from staffetta.instance'))[0]?.count;

/** A log that calls back with each of its lines. */
const listened = (heard: (line: string) => void) => pino({ level: 'info', base: null }, { write: heard });

test('a daemon that is refused and readmitted before it is at work is replaced, and stopped with the service', async () => {
  const [applied] = await registry.query<{ revision: string }>('select revision from staffetta.installation');
  await registry.query(`update staffetta.installation set revision = 'another'`);
  let readmitted: Promise<unknown> | undefined;
  const replaced = Promise.withResolvers<void>();
  const log = listened((line) => {
    if (line.includes('another configuration was applied'))
      readmitted ??= registry.query('update staffetta.installation set revision = $1', [applied?.revision]);
    if (line.includes('what was applied was read again')) replaced.resolve();
  });
  const service = await Service.start(registry.load(), { log, load: registry.load, describe: String });
  await readmitted;
  await replaced.promise;
  expect(await daemons()).toBe(1);
  await service.stop();
  expect(await daemons()).toBe(0);
});
