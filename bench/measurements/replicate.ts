/** How fast changes of many arrive, against OpenLDAP's own tool with everything worked out beforehand. */
import { writeFile } from 'node:fs/promises';
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import type { Run } from '../run.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

interface Variant {
  /** Whether slapd's writes wait for the disk. */
  readonly durable: boolean;
  readonly ratio: Figure;
  readonly rate: Figure;
}

const variants: readonly Variant[] = [
  {
    durable: true,
    ratio: {
      name: 'replicate.vs_ldapmodify',
      unit: '',
      meaning: '20,000 people changed in one transaction until the last is in slapd, against ldapmodify (time)',
      goal: { atMost: 1, better: 0.85 },
    },
    rate: { name: 'replicate.changes_per_s', unit: '/s', meaning: 'that, in people a second' },
  },
  {
    durable: false,
    ratio: {
      name: 'replicate.vs_ldapmodify_nosync',
      unit: '',
      meaning: 'the same on a slapd that does not wait for its disk (dbnosync)',
      goal: { atMost: 2, better: 1.3 },
    },
    rate: { name: 'replicate.changes_per_s_nosync', unit: '/s', meaning: 'that, in people a second' },
  },
];

export const replicate: Measurement = {
  name: 'replicate',
  figures: variants.flatMap(({ ratio, rate }) => [ratio, rate]),
  async measure(run, stack) {
    const changed = run.size(20_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${2 * changed} people`);
    await server.createUniversity('university', 2 * changed);
    for (const [index, variant] of variants.entries()) {
      await using part = new AsyncDisposableStack();
      const url = await server.copy(`variant_${index}`, 'university');
      await compare(run, part, server, url, changed, variant);
    }
  },
};

/** The first half of the people are changed in the database, the second half by ldapmodify. */
async function compare(
  run: Run,
  stack: AsyncDisposableStack,
  server: DatabaseServer,
  url: string,
  changed: number,
  { durable, ratio, rate }: Variant,
): Promise<void> {
  const directory = await Directory.start(stack, { durable });
  const site = await Site.open(run, stack, url, directory);
  run.say(`initial load of a slapd ${durable ? 'as it is by default' : 'with dbnosync'}`);
  await site.load();
  const names = await site.namesAfter(changed);
  for (const _ of run.eachRound()) {
    await server.checkpoint();
    const phone = nextPhone();
    const ours = await site.carry('update registry.person set phone = $2 where id <= $1', [changed, phone]);
    await directory.expectPhone(phone, changed);
    run.record(rate, (changed * 1_000) / ours);

    const other = nextPhone();
    const file = directory.file('changes.ldif');
    await writeFile(file, names.map((name) => modification(name, other)).join('\n'), { mode: 0o600 });
    const { ms: theirs } = await directory.send('ldapmodify', file, run.stop);
    await directory.expectPhone(other, names.length);
    run.record(ratio, ours / theirs);
  }
}

/** RFC 2849; the name in base64, which does for any. */
const modification = (name: string, phone: string): string =>
  `dn:: ${Buffer.from(name).toString('base64')}
changetype: modify
replace: telephoneNumber
telephoneNumber: ${phone}
`;
