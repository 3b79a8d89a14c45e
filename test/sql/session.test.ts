import { afterAll, beforeAll, expect, test } from 'vitest';
import { valueSettings } from '../../src/database/pool.ts';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());

const readers = [
  'find_out_of_scope()',
  'replay(text,text[],text,text)',
  'replay_all(text,text,text)',
  'rescan(text,text)',
  'preview(text,text)',
  'desired(text,text,text[])',
];

test.each(readers)('%s reads desired states under the settings of the daemon', async (reader) => {
  const [row] = await db.query<{ settings: string[] }>(
    'select proconfig as settings from pg_proc where oid = $1::regprocedure',
    [`staffetta.${reader}`],
  );
  const own = Object.fromEntries((row?.settings ?? []).map((setting) => setting.split('=')));
  // How long it may last and how it commits is the caller's own matter.
  expect({ ...own, search_path: own.search_path?.replaceAll(' ', '') }).toEqual(valueSettings);
});
