/** How others tell that a row has changed: the triggers that a first draft of such a system has. */
import { makeWorkerUtils } from 'graphile-worker';
import type { ClientBase } from 'pg';
import { withClient } from '../with-client.ts';

/** A trigger that notifies with each change; who listens reads the row. */
export async function notifyInTrigger(client: ClientBase): Promise<void> {
  await client.query(`
    create function registry.changed() returns trigger language plpgsql as $$
    begin
      perform pg_notify('person_changed', new.id::text);
      return null;
    end $$;
    create trigger changed after insert or update on registry.person for each row execute function registry.changed();`);
}

/** A trigger that adds a graphile-worker job with each change. A key makes of changes of one person one job. */
export async function addJobInTrigger(url: string): Promise<void> {
  await installWorker(url);
  await withClient(url, (client) =>
    client.query(`
      create function registry.changed() returns trigger language plpgsql as $$
      begin
        perform graphile_worker.add_job('replicate', json_build_object('id', new.id), job_key => 'person ' || new.id);
        return null;
      end $$;
      create trigger changed after insert or update on registry.person for each row execute function registry.changed();`),
  );
}

/**
 * The same for statements of many rows: all jobs of a statement in one call, and without a key, which would have each look
 * for a job that is there already. The fastest that jobs can be added.
 */
export async function addJobsInTrigger(url: string): Promise<void> {
  await installWorker(url);
  await withClient(url, (client) =>
    client.query(`
      create function registry.changed() returns trigger language plpgsql as $$
      begin
        perform count(*) from graphile_worker.add_jobs(array(
          select row('replicate', json_build_object('id', n.id), null, null, null, null, null, null)::graphile_worker.job_spec
          from changed_rows n));
        return null;
      end $$;
      create trigger changed after update on registry.person referencing new table as changed_rows
        for each statement execute function registry.changed();`),
  );
}

async function installWorker(connectionString: string): Promise<void> {
  const utils = await makeWorkerUtils({ connectionString });
  try {
    await utils.migrate();
  } finally {
    await utils.release();
  }
}
