/** How fast a script target has its program run, against xargs running the same program on the same payloads. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createScratch } from '../../src/demo/scratch.ts';
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure, Goal } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../program.ts';
import type { Run } from '../run.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

interface Variant {
  readonly process: 'spawn' | 'stream';
  readonly language: Language;
  readonly ratio: Figure;
  readonly rate: Figure;
}

/** `name`: the beginning of those of its figures. */
function variant(process: Variant['process'], language: Language, name: string, meaning: string, goal?: Goal): Variant {
  return {
    process,
    language,
    ratio: { name: `${name}_vs_xargs`, unit: '×', meaning, ...(goal && { goal }) },
    rate: { name: `${name}_per_s`, unit: '/s', meaning: 'that, in people a second' },
  };
}

const python = 'people a second through a Python script that is started for each, against xargs -P 16 starting it';
const kept = 'the same script with `process: stream`, against the same xargs';
const shell = 'a shell script, which takes a twentieth of the time to start, instead of the Python one';

const variants: readonly Variant[] = [
  variant('spawn', 'python', 'script.spawned', python, { atLeast: 0.8 }),
  variant('stream', 'python', 'script.stream', kept, { atLeast: 10 }),
  variant('spawn', 'sh', 'script.spawned_sh', shell),
  variant('stream', 'sh', 'script.stream_sh', 'the shell script with `process: stream`'),
];

/** As many at once as a daemon with default settings runs: slots × concurrency. */
const atOnce = 16;

/** Answer each line that they read: started for one identity, they read one. */
const answering = {
  python: `#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    identity = json.loads(line)
    print(json.dumps({"status": 0, "message": "done", "data": {}}), flush=True)
`,
  sh: `#!/bin/sh
while read -r line; do echo '{"status": 0, "message": "done", "data": {}}'; done
`,
};
type Language = keyof typeof answering;

/** Of how many of the people a round takes long enough, and not too long. */
const shares: Readonly<Record<Language, number>> = { python: 0.1, sh: 1 };

/** A shell script that does the same, and keeps what it was told, under the name of the identity. */
const recording = `#!/bin/sh
while read -r line; do
  id=\${line#'{"concernedTo":"'}
  printf '%s\\n' "$line" > "$PAYLOADS/\${id%%'"'*}"
  echo '{"status": 0, "message": "done", "data": {}}'
done
`;

export const script: Measurement = {
  name: 'script',
  figures: variants.flatMap(({ ratio, rate }) => [ratio, rate]),
  async measure(run, stack) {
    const people = run.size(2_000);
    const server = await DatabaseServer.start(run, stack);
    await server.createUniversity('university', people);
    const directory = await Directory.start(stack, { durable: false }); // of which only the folder is used
    const scratch = await createScratch('bench-script');
    stack.defer(() => scratch.remove());
    for (const variant of variants) {
      await using part = new AsyncDisposableStack();
      const name = `${variant.language}_${variant.process}`;
      const url = await server.copy(name, 'university');
      await compare(run, part, server, url, directory, join(scratch.path, name), people, variant);
    }
  },
};

async function compare(
  run: Run,
  stack: AsyncDisposableStack,
  server: DatabaseServer,
  url: string,
  directory: Directory,
  folder: string,
  people: number,
  { process, language, ratio, rate }: Variant,
): Promise<void> {
  const payloads = join(folder, 'payloads');
  const bin = join(folder, 'backends', '10answer', 'bin');
  await mkdir(payloads, { recursive: true });
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'record'), recording, { mode: 0o755 });
  await writeFile(join(bin, 'answer'), answering[language], { mode: 0o755 });
  await use(folder, 'record');
  const site = await Site.open(run, stack, url, directory, { configure: () => configuration(folder, process) });
  run.say(`initial load: ${language}, ${process}`);
  const first = await site.load();
  await first.stop();
  const told = await readdir(payloads);
  if (told.length !== people) throw new Error(`${told.length} payloads were kept, not ${people}`);
  const changed = Math.ceil(people * shares[language]);
  const theirs = told.filter((id) => Number(id) <= changed);
  const list = join(folder, 'list');
  await writeFile(list, theirs.map((name) => `${join(payloads, name)}\0`).join(''));

  await use(folder, 'answer');
  await site.startDaemon();
  for (const _ of run.eachRound()) {
    await server.checkpoint();
    const phone = nextPhone();
    const ours = await site.carry('update registry.person set phone = $1 where id <= $2', [phone, changed]);
    await expectPhone(site, phone, changed);
    run.record(rate, (changed * 1_000) / ours);
    const start = ['sh', '-c', 'exec "$0" < "$1"', join(bin, 'answer')];
    const { ms } = await runProgram('xargs', ['-0', '-a', list, '-P', `${atOnce}`, '-n', '1', ...start], {
      output: '/dev/null',
      stop: run.stop,
    });
    run.record(ratio, ms / ours);
  }
}

/** Has the backend run this program from now on. */
async function use(folder: string, program: string): Promise<void> {
  const config = `_version: 1
name: answer
description: "Answers, and does nothing else"
active: true
actions:
  IDENTITY_UPDATE: { script: ${program}, onError: stop }
`;
  await writeFile(join(folder, 'backends', '10answer', 'config.yml'), config);
}

function configuration(folder: string, process: Variant['process']): string {
  return `version: 1
database: { url: "\${DATABASE_URL}" }
entities:
  person: { view: registry.v_person, key: id, sources: { registry.person: id } }
targets:
  programs:
    type: script
    backends: ${JSON.stringify(join(folder, 'backends'))}
    env: { PAYLOADS: ${JSON.stringify(join(folder, 'payloads'))} }
    ${process === 'stream' ? 'process: { answer: stream }' : ''}
    entities:
      person:
        id: "{id}"
        attributes:
          inetOrgPerson.uid: "{uid}"
          inetOrgPerson.cn: "{display_name}"
          inetOrgPerson.sn: { from: sort_name }
          inetOrgPerson.mail: { from: emails, as: list }
          inetOrgPerson.telephoneNumber: { from: phone }
          inetOrgPerson.employeeNumber: { from: id }
`;
}

/** Throws unless so many people were told of this telephone number. */
async function expectPhone({ pool }: Site, phone: string, count: number): Promise<void> {
  const { rowCount } = await pool.query(
    `select from staffetta.link where target = 'programs' and attributes -> 'inetOrgPerson.telephoneNumber' ->> 0 = $1`,
    [phone],
  );
  if (rowCount !== count) throw new Error(`${rowCount} people were told of ${phone}, not ${count}`);
}
