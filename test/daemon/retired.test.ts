import { readFile, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { runOnce } from '../../src/once.ts';
import { createRegistry } from '../setup/registry.ts';

test('a target that is taken out of the file and put back goes on with its links', async () => {
  const registry = await createRegistry();
  try {
    const whole = await readFile(registry.file, 'utf8');
    const configure = async (text: string) => {
      await writeFile(registry.file, text);
      await registry.apply();
    };
    const retire = () => configure(`${whole.slice(0, whole.indexOf('targets:'))}targets: {}\n`);
    const deliver = () =>
      runOnce(registry.load(), { log: pino({ level: 'silent' }), stop: new AbortController().signal });
    await registry.query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
    await deliver();
    const before = await registry.person(1);

    await retire();
    expect(
      await registry.query('select entity, state, links, attention[1] as attention from staffetta.status'),
    ).toEqual([
      {
        entity: 'person',
        state: 'retired',
        links: '3',
        attention:
          'no longer configured: 3 links kept, nothing is sent; configure it again, or "staffetta forget directory"',
      },
    ]);
    await registry.query(`update registry.person set uid = 'anita', room = '7' where id = 1`);
    await registry.query('delete from registry.person where id = 2');
    await registry.query(`insert into registry.person (id, uid) values (4, 'dora')`);
    await deliver();
    expect(await registry.person(1)).toEqual(before);

    await configure(whole);
    await deliver();
    expect(await registry.differences()).toEqual([]);
    expect((await registry.person(1))?.entryUUID).toEqual(before?.entryUUID);

    await retire();
    expect(await registry.query(`select links, remote_ids from staffetta.forget('directory')`)).toEqual([
      { links: '3', remote_ids: '3' },
    ]);
    expect(await registry.query('select * from staffetta.status')).toEqual([]);
    expect((await registry.person(1))?.dn).toEqual([expect.stringMatching(/^uid=anita,/)]);
  } finally {
    await registry.close();
  }
});
