import type { Database } from '../setup/database.ts';
import { entityAt, type TargetName } from './desired.ts';
import { isInhabitant } from './inhabitants.ts';
import type { Request } from './wire.ts';

/** Who has ever left the registry, or had a contract that ends. A trigger of our own keeps them, in the transactions of the applications. */
export const departures = `
  create table registry.departure (id bigint);
  create function registry.keep_departure() returns trigger language plpgsql as $$ begin
    if tg_op = 'TRUNCATE' then insert into registry.departure select id from registry.person;
    elsif tg_table_name = 'contract' then insert into registry.departure values (new.person_id);
    else insert into registry.departure values (old.id); end if; return null; end $$;
  create trigger keep_departure after delete or update of id, hidden on registry.person for each row execute function registry.keep_departure();
  create trigger keep_departure after insert or update on registry.contract for each row execute function registry.keep_departure();
  create trigger keep_departures before truncate on registry.person execute function registry.keep_departure();`;

/** Whether people come to `archive` before they come to the other targets, by what is asked of the directories. */
export class Order {
  readonly #archived = new Set<string>();
  /** Who got another's entry there, which was theirs before it said so. */
  readonly #heirs = new Set<string>();
  readonly #early = new Map<string, string>();

  asked(target: TargetName, { operation, dn, changes }: Request): void {
    const given = changes.filter(({ attribute, action }) => attribute === 'employeeNumber' && action !== 'delete');
    for (const key of given.flatMap(({ values }) => values)) {
      if (target === 'archive') {
        if (operation !== 'add' && !this.#archived.has(key)) this.#heirs.add(key);
        this.#archived.add(key);
      } else if (operation === 'add' && entityAt(target, dn) === 'person' && !this.#archived.has(key))
        this.#early.set(`${target} person ${key} came before it came to archive`, key);
    }
  }

  /** Whoever leaves may do so before the one target has seen them, and another after it has; entries are inherited. */
  async findings(query: Database['query']): Promise<string[]> {
    const rows = await query<{ id: string }>(
      'select id::text from registry.departure union select later::text from registry.renumbering',
    );
    const unsteady = new Set(rows.map(({ id }) => id));
    return [...this.#early].flatMap(([finding, key]) =>
      unsteady.has(key) || this.#heirs.has(key) || isInhabitant({ employeeNumber: [key] }) ? [] : [finding],
    );
  }
}
