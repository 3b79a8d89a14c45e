/** What a change costs in processor time. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

const both: Figure = {
  name: 'cost.cpu_ms_per_change',
  unit: 'ms',
  meaning: 'processor time of daemon and PostgreSQL for each of 20,000 changes, from the UPDATE until all are settled',
};

const ours: Figure = { name: 'cost.daemon_ms_per_change', unit: 'ms', meaning: 'that of the daemon' };
const log: Figure = {
  name: 'cost.wal_bytes_per_change',
  unit: 'B',
  meaning: 'what that makes PostgreSQL write ahead, the application’s own UPDATE included',
};
const database: Figure = { name: 'cost.postgres_ms_per_change', unit: 'ms', meaning: 'that of PostgreSQL' };

export const cost: Measurement = {
  name: 'cost',
  figures: [both, ours, database, log],
  async measure(run, stack) {
    const people = run.size(20_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    const url = await server.createUniversity('university', people);
    const directory = await Directory.start(stack);
    const site = await Site.open(run, stack, url, directory);
    run.say('initial load');
    const daemon = await site.load();
    for (const _ of run.eachRound()) {
      await server.checkpoint();
      const before = { daemon: daemon.processorTime, postgres: await server.processorTime() };
      const { rows: begin } = await site.pool.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
      const phone = nextPhone();
      await site.carry('update registry.person set phone = $1', [phone]);
      const spent = {
        daemon: daemon.processorTime - before.daemon,
        postgres: (await server.processorTime()) - before.postgres,
      };
      const { rows: written } = await site.pool.query<{ bytes: number }>(
        'select pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::float8 as bytes',
        [begin[0]?.lsn],
      );
      await directory.expectPhone(phone, people);
      run.record(log, (written[0]?.bytes ?? Number.NaN) / people);
      run.record(ours, spent.daemon / people);
      run.record(database, spent.postgres / people);
      run.record(both, (spent.daemon + spent.postgres) / people);
    }
  },
};
