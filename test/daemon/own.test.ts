/** People carried to a target of the administrator's own: the module of docs/targets/own.md, beside staffetta.yml. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const target = (type: string, more = '') => `targets:
  cards:
    type: ${type}
    timeout: 1s
    guard: { removals: 100%, changes: 100% }
    ${more}
    entities:
      person:
        id: "{id}"
        attributes:
          name: "{given?} {surname}"
          mail: { from: emails }
          pin: { from: password, secret: true }
        disable: { attributes: { state: former } }
        deprovision: [disable, { after: 90d, do: delete }]
        removeAfter: 300ms
`;

/** Anybody's card, as it lies in the folder. */
interface Card {
  readonly id: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

describe('a target of one’s own', { timeout: 60_000 }, () => {
  let registry: Registry;
  let folder: string;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const cards = async (): Promise<Record<string, Card['attributes']>> => {
    const names = (await readdir(join(folder, 'cards'))).filter((name) => name.endsWith('.json'));
    const read = await Promise.all(
      names.map(async (name): Promise<Card> => JSON.parse(await readFile(join(folder, 'cards', name), 'utf8'))),
    );
    return Object.fromEntries(read.map(({ id, attributes }) => [id, attributes]));
  };
  const cardOf = (id: string) => join(folder, 'cards', `${createHash('sha256').update(id).digest('hex')}.json`);
  const state = async () => (await query(`select state, reason from staffetta.target where target = 'cards'`))[0];

  beforeAll(async () => {
    registry = await createRegistry();
    folder = dirname(registry.file);
    await copyFile(new URL('../targets/own/cards.ts', import.meta.url), join(folder, 'cards.ts'));
    await mkdir(join(folder, 'cards'));
    await registry.configure(['targets:\n', target('./cards.ts')]);
    await registry.apply();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email');
    await registry.calm();
    await query(`update staffetta.link set absent_since = absent_since - interval '100 days' where target = 'cards'`);
    await query('select staffetta.enqueue_steps()');
    await registry.calm();
  });

  test('follows who comes, changes, leaves and comes back, within the rules of every target', async () => {
    await query(
      `insert into registry.person (id, uid, given, surname) values (1, 'ada', 'Ada', 'Rossi'), (2, 'bob', null, 'Bo, "B"')`,
    );
    await query(`insert into registry.email values (1, 'ada@x.example'), (1, 'a@x.example')`);
    await registry.calm();
    expect(await cards()).toEqual({
      1: { name: ['Ada Rossi'], mail: ['a@x.example', 'ada@x.example'] },
      2: { name: ['Bo, "B"'] },
    });
    await query(`delete from registry.email where address = 'a@x.example'`);
    await query(`update registry.person set hidden = true where id = 2`);
    await until(cards, (all) => all[2]?.state?.[0] === 'former');
    expect((await cards())[1]?.mail).toEqual(['ada@x.example']);
    await query(`update registry.person set hidden = false, given = 'Bob' where id = 2`);
    await registry.calm();
    expect((await cards())[2]).toEqual({ name: ['Bob Bo, "B"'] });
  });

  test('is read where a replay is forced, and mended where somebody changed it by hand', async () => {
    await query(`insert into registry.person (id, uid, given) values (3, 'cy', 'Cy')`);
    await registry.calm();
    const [file = ''] = (await readdir(join(folder, 'cards'))).filter((name) => name.endsWith('.json'));
    await writeFile(
      join(folder, 'cards', file),
      JSON.stringify({ id: '3', attributes: { name: ['Nobody'], own: ['x'] } }),
    );
    await query(`select staffetta.replay('person', '3', 'cards', 'a test')`);
    await registry.calm();
    expect(await cards()).toEqual({ 3: { name: ['Cy Rossi'], own: ['x'] } });
  });

  test('is compared with what it should hold, and repaired', async () => {
    await query(`insert into registry.person (id, uid, given) values (6, 'fay', 'Fay'), (7, 'gil', 'Gil')`);
    await registry.calm();
    const compare = async (...args: readonly string[]) => {
      const { ended, printed } = registry.spawn('reconcile', 'cards', '--json', ...args);
      await ended;
      return JSON.parse(printed.stdout);
    };
    expect(JSON.stringify(await compare())).toMatch(/"seen":2,"missing":0,"changed":0/);
    for (const [id, name] of [
      ['6', 'Nobody'],
      ['8', 'A stranger'],
    ])
      await writeFile(cardOf(id ?? ''), JSON.stringify({ id, attributes: { name: [name] } }));
    expect(JSON.stringify(await compare('--repair'))).toMatch(/"seen":3,"missing":0,"changed":1,.*"unexpected":1/);
    await registry.calm();
    expect(await cards()).toEqual({
      6: { name: ['Fay Rossi'] },
      7: { name: ['Gil Rossi'] },
      8: { name: ['A stranger'] },
    });
    await rm(cardOf('8'));
  });

  test('keeps no secret anywhere but where it belongs', async () => {
    await query(`insert into registry.person (id, uid, password) values (4, 'di', 'hush-hush')`);
    await registry.calm();
    expect((await cards())[4]?.pin).toEqual(['hush-hush']);
    const rows = await query(`select l::text from staffetta.link l union all select j::text from staffetta.journal j`);
    expect(JSON.stringify(rows)).not.toContain('hush-hush');
  });

  test('is stopped where it says that it is set up wrongly, and goes on when it is right', async () => {
    await rename(join(folder, 'cards'), join(folder, 'away'));
    await query(`insert into registry.person (id, uid) values (5, 'ed')`);
    await until(state, (row) => row?.state === 'quarantined');
    expect((await state())?.reason).toMatch(/^there is no folder .*cards$/);
    expect(
      await until(
        () => registry.person(5),
        (entry) => entry !== undefined,
      ),
    ).toBeDefined(); // nobody else waits for it
    await rename(join(folder, 'away'), join(folder, 'cards'));
    await query(`select staffetta.retry('cards')`);
    await registry.calm();
    expect(Object.keys(await cards())).toEqual(['5']);
  });
});

/** Does as its options say, with each person. */
const odd = `export default ({ way }) => ({
  ping: async () => ({ summary: 'odd', identity: 'odd' }),
  apply: way === 'hangs' ? () => new Promise(() => {}) : way === 'throws' ? () => { throw undefined; } : async () => ({}),
});`;

test('a module that hangs harms no other target, and the daemon stops in time', { timeout: 60_000 }, async () => {
  const registry = await createRegistry();
  try {
    await writeFile(join(dirname(registry.file), 'odd.mjs'), odd);
    await registry.configure(['targets:\n', target('./odd.mjs', 'options: { way: hangs }')]);
    await registry.apply();
    const daemon = await registry.start();
    await query(registry, 1);
    await until(
      () => registry.query(`select failures, reason from staffetta.target where target = 'cards'`),
      ([row]) => row?.failures > 0 && /within the time limit/.test(row?.reason),
    );
    await query(registry, 2);
    expect(
      await until(
        () => registry.person(2),
        (entry) => entry !== undefined,
      ),
    ).toBeDefined();
    const [delivery] = await registry.query(
      `select attempts, unsure, state from staffetta.delivery where target = 'cards' and key = '1'`,
    );
    expect(delivery).toMatchObject({ attempts: 0, unsure: true, state: 'pending' });
    const begin = performance.now();
    await daemon.stop();
    expect(performance.now() - begin).toBeLessThan(10_000);
  } finally {
    await registry.close();
  }
});

test.each([
  ['throws', /odd\.mjs failed: it said nothing$/],
  ['answers', /odd\.mjs answered wrongly: remoteId is not right; expected { remoteId, stableId\?, data\? }$/],
])(
  'what a module %s for one person, is tried again and then parked, in words',
  { timeout: 60_000 },
  async (way, words) => {
    const registry = await createRegistry();
    try {
      await writeFile(join(dirname(registry.file), 'odd.mjs'), odd);
      await registry.configure(['targets:\n', target('./odd.mjs', `options: { way: ${way} }`)]);
      await registry.apply();
      await registry.query(`update staffetta.parameter set number = 3 where code = 'RETRY_ATTEMPTS'`);
      await registry.start();
      await query(registry, 1);
      const [parked] = await until(
        () =>
          registry.query(
            `select error_kind, error, attempts from staffetta.delivery where target = 'cards' and state = 'parked'`,
          ),
        (rows) => rows.length === 1,
      );
      expect(parked).toMatchObject({ error_kind: 'unknown', error: expect.stringMatching(words) });
    } finally {
      await registry.close();
    }
  },
);

function query(registry: Registry, id: number) {
  return registry.query(`insert into registry.person (id, uid) values ($1, $2)`, [id, `p${id}`]);
}

describe('a module that is no target', { timeout: 60_000 }, () => {
  let registry: Registry;
  let folder: string;
  beforeAll(async () => {
    registry = await createRegistry();
    folder = dirname(registry.file);
    await mkdir(join(folder, 'cards'));
    await registry.configure(['targets:\n', target('./cards.ts')]);
  });
  afterAll(() => registry.close());
  const told = async (...args: readonly string[]) => {
    const { ended, printed } = registry.spawn(...args);
    return { code: await ended, ...printed };
  };

  test('is told by apply, ping and run, with its place in the file', async () => {
    const applied = await told('apply');
    expect(applied).toMatchObject({ code: 0 });
    expect(applied.stderr).toMatch(
      /^warning: target cards: the module \.\/cards\.ts cannot be used: there is no file .*cards\.ts$/m,
    );
    expect(await told('ping', 'cards')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/there is no file .*cards\.ts/),
    });
    expect(await told('run')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /staffetta\.yml:\d+:\d+: targets\.cards\.type: the module \.\/cards\.ts cannot be used: there is no file/,
      ),
    });
  });

  test('leaves a running daemon as it is; one that is mended is taken at the next SIGHUP', async () => {
    const module = await readFile(new URL('../targets/own/cards.ts', import.meta.url), 'utf8');
    await writeFile(join(folder, 'cards.ts'), module);
    await registry.apply();
    const daemon = await registry.spawnDaemon();
    const logged = (text: string) =>
      until(
        () => daemon.printed.stderr,
        (printed) => printed.includes(text),
      );
    const names = async () => (await readdir(join(folder, 'cards'))).sort();
    await query(registry, 1);
    await registry.calm();
    expect(await names()).toHaveLength(1);

    await writeFile(join(folder, 'cards.ts'), 'export const cards = 1;');
    daemon.child.kill('SIGHUP');
    await logged('not reloaded');
    expect(daemon.printed.stderr).toMatch(
      /targets\.cards\.type: the module \.\/cards\.ts cannot be used: it has no default export/,
    );
    await query(registry, 2);
    await registry.calm();
    expect(await names()).toHaveLength(2);

    await writeFile(join(folder, 'cards.ts'), module.replaceAll('.json`', '.card.json`'));
    daemon.child.kill('SIGHUP');
    await logged('the configuration was read again');
    await query(registry, 3);
    await registry.calm();
    expect((await names()).filter((name) => name.endsWith('.card.json'))).toHaveLength(1);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});
