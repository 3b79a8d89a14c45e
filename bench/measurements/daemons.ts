/** Whether more daemons carry more, as long as the target can take it. */
import { DatabaseServer } from '../database-server.ts';
import { openDelay } from '../delay.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

const one: Figure = {
  name: 'scale.daemon_per_s',
  unit: '/s',
  meaning: 'changes that one daemon carries, two at a time, to a directory that is 5 ms away',
};

const several = [2, 4].map((count) => ({
  count,
  figure: {
    name: `scale.daemons_${count}`,
    unit: '×',
    meaning: `how many times as much ${count} daemons carry`,
    goal: { atLeast: count * 0.75, better: count * 0.9 },
  },
}));

/** So slow that the machine is not what it waits for: one pump in each daemon, two operations in flight. */
const slowly = (text: string) => text.replace('type: ldap', 'type: ldap\n    slots: 1\n    concurrency: 2');

export const daemons: Measurement = {
  name: 'daemons',
  figures: [one, ...several.map(({ figure }) => figure)],
  async measure(run, stack) {
    const people = run.size(8_000);
    const server = await DatabaseServer.start(run, stack);
    const directory = await Directory.start(stack, { durable: false });
    const ldapUrl = await openDelay(directory.server.url, 5, stack);
    const url = await server.createUniversity('university', people);
    const site = await Site.open(run, stack, url, directory, { configure: slowly, ldapUrl });
    run.say('initial load');
    const first = await site.load();
    await first.stop();
    const perSecond = async (count: number) => {
      const crew = await Promise.all(Array.from({ length: count }, () => site.startDaemon()));
      const phone = nextPhone();
      const ms = await site.carry('update registry.person set phone = $1', [phone]);
      await directory.expectPhone(phone, people);
      await Promise.all(crew.map((daemon) => daemon.stop()));
      return (people * 1_000) / ms;
    };
    for (const _ of run.eachRound()) {
      const alone = await perSecond(1);
      run.record(one, alone);
      for (const { count, figure } of several) run.record(figure, (await perSecond(count)) / alone);
    }
  },
};
