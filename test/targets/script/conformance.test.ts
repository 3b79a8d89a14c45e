import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Value } from '../../../src/targets/target.ts';
import { type Bench, conformance } from '../conformance.ts';
import { createBackyard } from './bench.ts';

/** Keeps a file per identity, named after the hash of its id. A file called trouble says how it fails. */
const program = `#!/usr/bin/env -S python3 -IS
import hashlib, json, os, signal, sys, time
out = os.environ["OUT"]
def trouble():
    file = os.path.join(out, "trouble")
    return open(file).read() if os.path.exists(file) else ""
def act(document):
    if trouble().isdigit(): return int(trouble())
    name = hashlib.sha256(json.dumps(document["concernedTo"]).encode()).hexdigest()
    file = os.path.join(out, name + ".json")
    payload = document["payload"]
    if "newPassword" in payload: kept = {**json.load(open(file)), "password": payload["newPassword"]}
    elif "identity" in payload: kept = payload["identity"]["identity"]
    else: kept = None
    if kept is not None:
        with open(file + ".new", "w") as written: json.dump(kept, written)
        os.replace(file + ".new", file)
    elif document["concernedTo"] is not None and os.path.exists(file): os.remove(file)
    if trouble() == "lost": os.kill(os.getpid(), signal.SIGKILL)
    if trouble() == "hang": time.sleep(60)
    return 0
for line in sys.stdin: print(json.dumps({"status": act(json.loads(line)), "message": "said so"}), flush=True)
`;

const actions = ['UPDATE', 'DELETE', 'PASSWORD_CHANGE', 'PASSWORD_RESET'].map((action) => `IDENTITY_${action}`);
const steps = [...actions, 'PING_TARGET'].map((action) => `  ${action}: { script: keep }`);

/** What the file of an identity has where it is a person. */
interface Kept {
  readonly inetOrgPerson: Readonly<Record<string, string | readonly string[]>>;
  readonly password?: string;
}

async function createBench(process: Readonly<Record<string, string>>): Promise<Bench> {
  const yard = await createBackyard({
    '10keep/config.yml': ['name: keep', 'description: keep', 'active: true', 'actions:', ...steps, ''].join('\n'),
    '10keep/bin/keep': program,
  });
  const attributes = {
    'inetOrgPerson.cn': '{name}',
    'inetOrgPerson.title': '{title}',
    'inetOrgPerson.mail': { from: 'mail', as: 'list' },
    'inetOrgPerson.jpegPhoto': { from: 'photo' },
  };
  const entities = { person: { id: '{id}', attributes, password: true } };
  const target = yard.target({ env: { OUT: yard.folder }, process, entities });
  const kept = async (name: string): Promise<Kept | undefined> => {
    // As Python writes it: the letters of ASCII only.
    const ascii = JSON.stringify(name).replaceAll(
      /[^ -~]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const file = join(yard.folder, `${createHash('sha256').update(ascii).digest('hex')}.json`);
    return JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) ?? undefined;
  };
  const texts = (held: string | readonly string[] = []) => (held === '' ? [] : [held].flat());
  const bring = (how: string) => async () => {
    await writeFile(join(yard.folder, 'trouble'), how);
    return { over: () => rm(join(yard.folder, 'trouble')) };
  };
  return {
    target,
    entity: 'person',
    title: 'inetOrgPerson.title',
    unique: 'inetOrgPerson.cn',
    id: (name) => name,
    attributes: (name, title = 'first') => ({ 'inetOrgPerson.cn': [name], 'inetOrgPerson.title': [title] }),
    titles: async (name) => {
      const found = await kept(name);
      return found && texts(found.inetOrgPerson.title);
    },
    several: 'inetOrgPerson.mail',
    bytes: 'inetOrgPerson.jpegPhoto',
    values: async (name, attribute) => {
      const [, key = ''] = attribute.split('.');
      const found = await kept(name);
      return (
        found && texts(found.inetOrgPerson[key]).map((text): Value => (key === 'jpegPhoto' ? { base64: text } : text))
      );
    },
    login: async (name, password) => (await kept(name))?.password === password,
    bring: { unavailable: bring('4'), misconfigured: bring('8'), rejected: bring('32'), unknown: bring('1') },
    loseAnswer: bring('lost'),
    hang: bring('hang'),
    without: {
      rename: 'a script is told the new id only: ids are chosen that never change',
      exists: 'a script is told the same for a new identity and one that is there',
      gone: 'a script is told the same for a new identity and one that is there',
      converged: 'no status of a script means it',
      dependency: 'no status of a script means it',
      'one-sided': 'no status of a script means it',
      references: 'the documents of Sesame have no references',
    },
    close: () => yard.close(),
  };
}

conformance('script', () => createBench({}));
conformance('script that is kept running', () => createBench({ keep: 'stream' }));
