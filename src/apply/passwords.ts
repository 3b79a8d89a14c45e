import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { mappingsOf } from '../desired/mapping.ts';
import { publicKeyOf } from '../passwords/keys.ts';

/** Records with what passwords are sealed, and which routes take them. Installs pgcrypto, which seals, if it is needed. */
export async function recordPasswords(client: pg.ClientBase, { config }: LoadedConfig): Promise<void> {
  const key = config.passwords && (await publicKeyOf(config.passwords.key));
  if (key !== undefined) await client.query('create extension if not exists pgcrypto with schema staffetta');
  await client.query('update staffetta.installation set password_key = $1 where password_key is distinct from $1', [
    key ?? null,
  ]);
  const taken = mappingsOf(config).map(({ target, entity, config: { password } }) => ({
    target,
    entity,
    passwords: password !== undefined,
  }));
  await client.query(
    `update staffetta.route r set passwords = w.passwords
     from jsonb_to_recordset($1) as w(target text, entity text, passwords boolean)
     where (r.target, r.entity) = (w.target, w.entity) and r.passwords <> w.passwords`,
    [JSON.stringify(taken)],
  );
}
