/** What capture costs an application that changes one row at a time. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure, Goal } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { addJobInTrigger, notifyInTrigger } from '../peers/triggers.ts';
import { Pgbench } from '../pgbench.ts';
import { Site } from '../site.ts';
import { withClient } from '../with-client.ts';

/** A database with the university in it, and what its triggers do. */
type Arm = 'captured' | 'trigger' | 'notify' | 'add_job';

interface Load {
  readonly clients: number;
  readonly bare: Figure;
  /** Each compared with the bare table. */
  readonly arms: readonly { readonly arm: Arm; readonly figure: Figure }[];
}

const ours = (clients: number, goal: Goal): Load['arms'] => [
  {
    arm: 'captured',
    figure: {
      name: `capture.tps_ratio_${clients}`,
      unit: '',
      meaning: `${clients} clients change single rows, captured while a daemon carries them, against the bare table`,
      goal,
    },
  },
  {
    arm: 'trigger',
    figure: {
      name: `capture.trigger_ratio_${clients}`,
      unit: '',
      meaning: 'the same without a daemon beside it: what the trigger alone costs',
    },
  },
];

const peers: Load['arms'] = [
  {
    arm: 'notify',
    figure: { name: 'capture.naive_notify_32', unit: '', meaning: 'the same with a trigger that notifies each time' },
  },
  {
    arm: 'add_job',
    figure: {
      name: 'capture.naive_add_job_32',
      unit: '',
      meaning: 'the same with a trigger that adds a job each time',
    },
  },
];

const bare = (clients: number): Figure => ({
  name: `capture.bare_tps_${clients}`,
  unit: 'tx/s',
  meaning: `the bare table, ${clients} clients`,
});

const loads: readonly Load[] = [
  { clients: 8, bare: bare(8), arms: ours(8, { atLeast: 0.8, better: 0.9 }) },
  { clients: 32, bare: bare(32), arms: [...ours(32, { atLeast: 0.65, better: 0.75 }), ...peers] },
];

export const capture: Measurement = {
  name: 'capture',
  figures: loads.flatMap((load) => [load.bare, ...load.arms.map(({ figure }) => figure)]),
  async measure(run, stack) {
    const people = run.size(40_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people in five databases`);
    await server.createUniversity('bare', people);
    const copy = (name: Arm) => server.copy(name, 'bare');
    await Site.open(run, stack, await copy('trigger'), await Directory.start(stack));
    await withClient(await copy('notify'), notifyInTrigger);
    await addJobInTrigger(await copy('add_job'));
    const site = await Site.open(run, stack, await copy('captured'), await Directory.start(stack));
    run.say('initial load');
    await site.load();

    const pgbench = await Pgbench.prepare(run, stack);
    const seconds = run.seconds(10);
    const measure = async (database: Arm | 'bare', clients: number) => {
      await server.checkpoint();
      const tps = await pgbench.measure(server.url(database), { clients, people, seconds });
      if (database === 'captured') await site.carried();
      if (database === 'trigger')
        await withClient(server.url(database), (client) => client.query('truncate staffetta.event'));
      return tps;
    };
    for (const _ of run.eachRound())
      for (const load of loads) {
        const reference = await measure('bare', load.clients);
        run.record(load.bare, reference);
        for (const { arm, figure } of load.arms) run.record(figure, (await measure(arm, load.clients)) / reference);
      }
  },
};
