import type pg from 'pg';
import type { Mapping } from '../desired/mapping.ts';

/** Records for each route who is told what became of its identities: settle reads it there. */
export async function recordWriteBacks(client: pg.ClientBase, mappings: readonly Mapping[]): Promise<void> {
  const told = mappings.map(({ target, entity, config }) => ({ target, entity, write_back: config.writeBack ?? null }));
  await client.query(
    `update staffetta.route r set write_back = w.write_back
     from jsonb_to_recordset($1) as w(target text, entity text, write_back text)
     where (r.target, r.entity) = (w.target, w.entity) and r.write_back is distinct from w.write_back`,
    [JSON.stringify(told)],
  );
}
