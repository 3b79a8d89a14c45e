import type { Queryable } from '../database/transaction.ts';
import type { Claim } from './claim.ts';

/** Who made the last change of each identity, by key; nobody is in it of whom that is not known. */
export async function readActors(
  database: Queryable,
  { target, token }: Pick<Claim, 'target' | 'token'>,
  entity: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await database.query<{ key: string; actor: string }>({
    name: 'actors',
    text: `select d.key, d.last_actor as actor from unnest($3::text[]) k cross join lateral (
      select * from staffetta.delivery w where (w.target, w.entity, w.key) = ($1, $2, k collate "C") and w.token = $4 offset 0) d
      where d.last_actor is not null`,
    values: [target, entity, keys, token],
  });
  return new Map(rows.map(({ key, actor }) => [key, actor]));
}
