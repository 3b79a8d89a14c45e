import type { Config } from '../config/schema.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Route } from '../deliver/route.ts';
import { describeViews } from '../desired/catalog.ts';
import { attributesOf, mappingsOf } from '../desired/mapping.ts';

/** The attributes of live entries that comparing them needs: those of the mapping, and what disabling writes. */
export async function comparedAttributes(session: Queryable, config: Config, route: Route): Promise<string[]> {
  const { target, entity } = route;
  const { rows } = await session.query<{ name: string }>(
    `select distinct a.name from staffetta.link l cross join lateral jsonb_object_keys(l.disable -> 'attributes') as a(name)
     where l.target = $1 and l.entity = $2 and jsonb_typeof(l.disable -> 'attributes') = 'object'`,
    [target, entity],
  );
  const mapping = mappingsOf(config).find((one) => one.target === target && one.entity === entity);
  const view = mapping && (await describeViews(session, config)).get(mapping.view);
  const mapped = mapping && view ? attributesOf(mapping, view).map(([name]) => name) : [];
  return [...new Set([...mapped, ...rows.map(({ name }) => name)])];
}
