/**
 * A program that writes a flow and is killed at a moment: `node killed-flow.ts FOLDER CONFIG MOMENT TIMES`. It applies
 * changes until it is gone, saying on standard output which of them have been taken in.
 */
import { writeSync } from 'node:fs';
import { type FileConfig, file } from '../../../src/config/file.ts';
import { FileTarget } from '../../../src/targets/file/target.ts';
import type { Moment } from '../../../src/targets/file/witness.ts';

const [folder = '', text = '', moment = '', times = '1', from = '0'] = process.argv.slice(2);
const config: FileConfig = file.parse(JSON.parse(text));
let left = Number(times);
const witness = {
  now: () => new Date(),
  reached: (at: Moment) => {
    if (at === moment && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
};
const target = new FileTarget(config, folder, witness);
const patience = AbortSignal.timeout(60_000);
for (let at = Number(from); ; at += 3) {
  const names = [at, at + 1, at + 2].map((number) => `p${number}`);
  await Promise.all(
    names.map(async (name) => {
      const attributes = { name: [name], number: [name], title: ['first'] };
      await target.apply({ operation: 'create', entity: 'person', remoteId: name, attributes }, patience);
      writeSync(1, `${name}\n`);
    }),
  );
  await target.flush(patience);
}
