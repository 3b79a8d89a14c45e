import { readFile, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { runOnce } from '../../src/once.ts';
import { createRegistry } from '../setup/registry.ts';

/** A registry with three people in its directory, and what takes the target out of the file and puts it back. */
async function createMember() {
  const registry = await createRegistry();
  const whole = await readFile(registry.file, 'utf8');
  const configure = async (text: string) => {
    await writeFile(registry.file, text);
    await registry.apply();
  };
  const deliver = () =>
    runOnce(registry.load(), { log: pino({ level: 'silent' }), stop: new AbortController().signal });
  await registry.query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
  await deliver();
  return {
    registry,
    deliver,
    retire: () => configure(`${whole.slice(0, whole.indexOf('targets:'))}targets: {}\n`),
    putBack: () => configure(whole),
  };
}

test('a target that is taken out of the file and put back goes on with its links', async () => {
  const { registry, deliver, retire, putBack } = await createMember();
  try {
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

    await putBack();
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

test('what was in doubt when a target was taken out of the file is looked at when it is put back', async () => {
  const { registry, deliver, retire, putBack } = await createMember();
  try {
    // A worker was killed after it had made the entry of Anna, and while it changed that of Bruno.
    await registry.query(`delete from staffetta.link where key = '1'`);
    await registry.query(`update staffetta.link set attributes = attributes || '{"sn": ["Verdi"]}' where key = '2'`);
    await registry.query(
      `insert into staffetta.delivery (target, entity, key, unsure) select 'directory', 'person', unnest(array['1', '2']), true`,
    );
    await registry.query(`insert into staffetta.delivery (target, entity, key) values ('directory', 'person', '3')`);

    await retire();
    expect(await registry.query('select key, state, unsure from staffetta.delivery order by key')).toEqual([
      { key: '1', state: 'parked', unsure: true },
      { key: '2', state: 'parked', unsure: true },
    ]);
    await registry.query('delete from registry.person where id = 1');
    await deliver();

    await putBack();
    await deliver();
    expect(await registry.differences()).toEqual([]);
    expect(await registry.query('select key from staffetta.remote_id')).toHaveLength(2);
    expect(await registry.query('select from staffetta.delivery')).toEqual([]);
  } finally {
    await registry.close();
  }
});
