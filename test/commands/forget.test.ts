import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { forgetCommand } from '../../src/commands/forget.ts';
import { statusCommand } from '../../src/commands/status.ts';
import { type Administrator, createAdministrator } from './administrator.ts';

let admin: Administrator;
const known = `select (select count(*)::int from staffetta.link where target = 'badge') as links,
  (select count(*)::int from staffetta.reference where target = 'badge') as members,
  (select count(*)::int from staffetta.remote_id where target = 'badge') as remote_ids,
  (select count(*)::int from staffetta.delivery where target = 'badge') as deliveries,
  (select count(*)::int from staffetta.target where target = 'badge') as targets,
  (select count(*)::int from staffetta.link) as all_links`;
const everything = { links: 3, members: 1, remote_ids: 2, deliveries: 1, targets: 1, all_links: 4 };

beforeAll(async () => {
  admin = await createAdministrator();
});
afterAll(() => admin.close());
/** The badge system is no longer configured; what is known of it is as it was. */
beforeEach(async () => {
  await admin.db.query(`
    truncate staffetta.delivery, staffetta.link, staffetta.reference, staffetta.remote_id;
    delete from staffetta.route where target = 'badge';
    insert into staffetta.target (target, type) values ('badge', 'ldap') on conflict do nothing;
    update staffetta.target set state = 'retired', reason = 'no longer in the configuration' where target = 'badge';
    insert into staffetta.link (target, entity, key, remote_id, attributes)
      select 'badge', 'person', n::text, 'uid=' || n, '{}' from generate_series(1, 3) n;
    insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '1', 'uid=1', '{}');
    insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key) values ('badge', 'team', '1', 'member', 'person', '1');
    insert into staffetta.remote_id (target, normalised, entity, key) values ('badge', 'uid=1', 'person', '1'), ('badge', 'uid=2', 'person', '2');
    insert into staffetta.delivery (target, entity, key) values ('badge', 'person', '9')`);
});

describe('forget', () => {
  test('drops what is known of a target that is no longer configured, counts it, and leaves the others', async () => {
    const { exitCode, stdout } = await admin.run(forgetCommand(), 'badge', '--yes');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['target', 'links', 'members', 'remote ids', 'deliveries'],
      ['badge', '3', '1', '2', '1'],
    ]);
    expect(await admin.db.query(known)).toEqual([
      { links: 0, members: 0, remote_ids: 0, deliveries: 0, targets: 0, all_links: 1 },
    ]);
    expect(await admin.run(forgetCommand(), 'badge', '--yes')).toMatchObject({
      exitCode: 2,
      stderr: 'There is no target "badge". Targets that can be forgotten: none, since all are configured.',
    });
  });

  test('answers in JSON with numbers', async () => {
    const { stdout } = await admin.run(forgetCommand(), 'badge', '--yes', '--json');
    expect(JSON.parse(stdout)).toEqual([{ target: 'badge', links: 3, members: 1, remote_ids: 2, deliveries: 1 }]);
  });

  test('drops nothing without a word of the administrator', async () => {
    const { exitCode, stderr } = await admin.run(forgetCommand(), 'badge');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^Staffetta knows 3 entries on target "badge" as its own\..*\n.*--yes\.$/);
    expect(await admin.db.query(known)).toEqual([everything]);
  });

  test('only counts where asked to, in SQL', async () => {
    expect(await admin.db.query(`select * from staffetta.forget('badge', dry_run => true)`)).toEqual([
      { target: 'badge', links: '3', members: '1', remote_ids: '2', deliveries: '1' },
    ]);
    expect(await admin.db.query(known)).toEqual([everything]);
  });

  test('refuses a target that is configured, and says what to do', async () => {
    const { exitCode, stderr } = await admin.run(forgetCommand(), 'directory', '--yes');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^Target "directory" is configured.*staffetta apply.*staffetta pause directory/);
  });

  test('names the targets that can be forgotten where the name is another', async () => {
    expect(await admin.run(forgetCommand(), 'bagde', '--yes')).toMatchObject({
      exitCode: 2,
      stderr: 'There is no target "bagde". Targets that can be forgotten: badge.',
    });
  });
});

describe('status', () => {
  test('shows a target that is no longer configured, with its links and what can be done', async () => {
    const { stdout } = await admin.run(statusCommand());
    expect(stdout).toMatch(/^badge +person +retired +3 /m);
    expect(stdout).toContain(
      '! badge person: no longer configured: 3 links kept, nothing is sent; configure it again, or "staffetta forget badge"',
    );
    await admin.db.query(`delete from staffetta.link where target = 'badge'`);
    const { stdout: empty } = await admin.run(statusCommand());
    expect(empty).toMatch(/^badge +retired +0 /m);
    expect(empty).toContain('! badge: no longer configured: 0 links kept');
  });
});
