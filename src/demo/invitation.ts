/** What a person may try while the demo runs. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configFile, type Stage } from './stage.ts';

const run = promisify(execFile);
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Lines to paste into another terminal, each complete in itself, with what they do. */
export async function invite({ applicationUrl, directory, env }: Stage): Promise<string[]> {
  const environment = join(directory.folder, 'env');
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  await writeFile(environment, lines.join(''), { mode: 0o600 });
  const psql = (statement: string) => `  psql ${applicationUrl} -c ${quote(statement)}`;
  const search = `-x -LLL -o ldif_wrap=no -H ${directory.url} -b ${directory.suffix}`;
  const hasPsql = await run('psql', ['--version']).then(
    () => true,
    () => false,
  );
  return [
    'Try it in another terminal. What an application writes …',
    psql(`update registry.person set given_name = 'Grace' where id = 42`),
    psql(`update registry.person set uid = 'hopper, grace' where id = 42`),
    ...(hasPsql ? [] : ['  (psql is not installed here; on Debian: apt-get install postgresql-client)']),
    '… the directory says:',
    `  ldapsearch ${search} employeeNumber=42 cn givenName uid`,
    'And what Staffetta has to say about it:',
    `  . ${quote(environment)}; cd ${quote(checkout)}; npm run --silent staffetta -- status --config ${quote(relative(configFile))}`,
  ];
}

const relative = (file: string): string => (file.startsWith(checkout) ? file.slice(checkout.length) : file);

/** A word for a shell. */
function quote(text: string): string {
  if (/^[\w./:@-]+$/.test(text)) return text;
  return text.includes("'") ? `"${text.replaceAll(/[\\"$`]/g, '\\$&')}"` : `'${text}'`;
}
