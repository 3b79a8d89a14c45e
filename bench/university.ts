/** The demo's university in any size: its people are made once and then copied with other logins and addresses. */
import { createUniversity, loadUniversity } from '../examples/university/load.ts';
import { withClient } from './with-client.ts';

/** People made one by one, all of them different. */
const originals = 2_000;

/**
 * Creates the schema `registry` and fills it. Nobody of it is left out of the directory; there are no groups.
 *
 * @param wanted how many people; they have the ids 1 to `wanted`
 */
export async function fillUniversity(url: string, wanted: number): Promise<void> {
  const made = Math.min(wanted, originals);
  await withClient(url, async (client) => {
    await createUniversity(client);
    await loadUniversity(client, { people: made, groups: 0 });
    // Foreign keys hold of a copy as they do of its original.
    await client.query('set session_replication_role = replica');
    await client.query('delete from registry.email where person_id > $1', [made]);
    await client.query('delete from registry.career where person_id > $1', [made]);
    await client.query('delete from registry.person where id > $1', [made]);
    for (const statement of copies(made)) await client.query(statement, [wanted]);
    await client.query('reset session_replication_role');
    await client.query('vacuum analyze');
  });
}

/** Statements that copy the people that were made until there are so many ($1). */
function copies(made: number): string[] {
  const person = ['given_name', 'family_name', 'birth_date', 'status', 'password_hash', 'phone', 'photo'];
  const rest = [...person, 'preferred_language', 'department_id'].join(', ');
  const copy = `generate_series(1, $1::int / ${made}) as copy`;
  return [
    `insert into registry.person (id, uid, ${rest})
     select id + copy * ${made}, uid || '.' || copy, ${rest} from registry.person, ${copy} where id + copy * ${made} <= $1`,
    `insert into registry.email (person_id, address, kind, position)
     select person_id + copy * ${made}, copy || '.' || address, kind, position
     from registry.email, ${copy} where person_id + copy * ${made} <= $1`,
    `insert into registry.career (person_id, course, department_id, status, since, until)
     select person_id + copy * ${made}, course, department_id, status, since, until
     from registry.career, ${copy} where person_id + copy * ${made} <= $1`,
  ];
}
