import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ScriptTarget } from '../../../src/targets/script/target.ts';
import { until } from '../../setup/until.ts';
import { type Backyard, configOf, create, createBackyard, every } from './bench.ts';

const calm = AbortSignal.timeout(120_000);

const python = `#!/usr/bin/env python3
import json, os, signal, sys, time
print("a log line", flush=True)
for number, line in enumerate(sys.stdin, 1):
    payload = json.loads(line)["payload"]
    title = payload.get("identity", {}).get("identity", {}).get("inetOrgPerson", {}).get("title", "")
    word, _, code = title.partition(" ")
    if word == "exit": print("last words", file=sys.stderr); sys.exit(int(code))
    if word == "signal": os.kill(os.getpid(), signal.SIGKILL)
    if word == "sleep": time.sleep(60)
    if word == "flood":
        while True: print("without end")
    if word == "garbage": print('{"no": "result"}\\n{broken', flush=True)
    status = int(code) if word == "status" else 0
    print(json.dumps({"status": status, "message": title, "data": {"pid": os.getpid(), "number": number}}), flush=True)
open("ended", "w").close()
`;

const node = `#!/usr/bin/env node
const { createInterface } = require('node:readline');
let number = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  const { payload } = JSON.parse(line);
  const { title = '' } = payload.identity?.identity.inetOrgPerson ?? {};
  const [word, code] = title.split(' ');
  if (word === 'exit') { console.error('last words'); process.exit(Number(code)); }
  if (word === 'signal') return void process.kill(process.pid, 'SIGKILL');
  if (word === 'sleep') return;
  if (word === 'flood') return void setInterval(() => process.stdout.write('without end\\n'.repeat(1000)), 0);
  if (word === 'garbage') console.log('{"no": "result"}\\n{broken');
  const status = word === 'status' ? Number(code) : 0;
  number += 1;
  console.log(JSON.stringify({ status, message: title, data: { pid: process.pid, number } }));
}).on('close', () => require('node:fs').writeFileSync('ended', ''));
`;

describe.each([
  ['python', python],
  ['node', node],
])('a program in %s that is kept', (_, source) => {
  let yard: Backyard;
  let target: ScriptTarget;
  const told = async (title: string, signal = calm) => (await target.apply(create(title), signal)).data?.data;

  beforeEach(async () => {
    yard = await createBackyard({ '1/config.yml': configOf('one', 'act', every), '1/bin/act': source });
    target = yard.target({ process: { one: 'stream' }, maxOutput: 20_000 });
  });
  afterEach(() => yard.close());

  test('answers one identity after the other, however many ask at once, in one process', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((title) => told(title)));
    expect(all).toMatchObject([{ number: 1 }, { number: 2 }, { number: 3 }, { number: 4 }]);
    const pids = new Set([...all, await told('e')].map((data) => JSON.stringify(data).match(/"pid":\d+/)?.[0]));
    expect(pids.size).toBe(1);
  });

  test('is started again when it has ended, whatever ended it', async () => {
    for (const [title, message] of [
      ['exit 3', 'one, IDENTITY_UPDATE: ended with 3: last words'],
      ['signal', 'one, IDENTITY_UPDATE: was killed by SIGKILL'],
      ['flood', 'one, IDENTITY_UPDATE: printed more than it may (maxOutput), and was killed'],
    ] as const) {
      const failed = told(title);
      const next = told('next');
      await expect(failed).rejects.toMatchObject({ kind: 'unknown', message, unsure: true });
      expect(await next).toMatchObject({ number: 1 });
    }
  });

  test('fails for one identity, and goes on with the next', async () => {
    await expect(told('status 4')).rejects.toMatchObject({ kind: 'unavailable', message: /status 4$/ });
    expect(await told('garbage')).toMatchObject({ number: 2 });
  });

  test('that is too slow is killed, and those who wait for it were never reached', async () => {
    const soon = AbortSignal.timeout(1200);
    const [slow, waiting] = await Promise.allSettled([told('sleep', soon), told('waits', soon)]);
    const reason = (outcome: typeof slow) => (outcome?.status === 'rejected' ? outcome.reason : undefined);
    expect(reason(slow)).toMatchObject({ kind: 'unavailable', unsure: true });
    expect(reason(waiting)).toMatchObject({
      kind: 'unavailable',
      unsure: false,
      message: 'one, IDENTITY_UPDATE: its turn did not come within the time limit',
    });
    expect(await told('again')).toMatchObject({ number: 1 });
  });

  test('ends by itself when it is given nothing more', async () => {
    await told('a');
    await target.close();
    await until(
      () => existsSync(join(yard.folder, '1/bin/ended')),
      (ended) => ended,
    );
  });

  test('is asked whether it is there in the same way', async () => {
    expect(await target.ping(calm)).toMatchObject({ summary: 'backends in .: one' });
  });
});
