/**
 * A page of docs/ that is a session at a terminal. Its blocks are
 * - `yaml`: the file `staffetta.yml`, written as it stands there;
 * - `sql`: statements, run as the role that its first line names (`-- role: what happens`);
 * - `console`: commands after `$` and statements after `university=>`, each with what it prints; `>` and `university->`
 *   continue them. Another exit code than 0 stands below the output: `[exit code 1]`.
 */
import { settle } from './variable.ts';

/** Where a page is performed. */
export interface Stage {
  write(configuration: string): Promise<void>;
  /** Runs statements that print nothing. */
  execute(role: string, statements: string): Promise<void>;
  /** What a command prints, to either output. */
  shell(command: string): Promise<string>;
  /** What a statement of the administrator answers with. */
  query(statement: string): Promise<string>;
}

const block = /^```(yaml|sql|console)\n(.*?)^```$/gms;

/** Performs the blocks of a text in their order; answers with the text, in it what was printed where it differs. */
export async function perform(text: string, stage: Stage): Promise<string> {
  let performed = '';
  let end = 0;
  for (const { 0: whole, 1: language, 2: body = '', index } of text.matchAll(block)) {
    performed += text.slice(end, index);
    end = index + whole.length;
    performed += language === 'console' ? `\`\`\`console\n${await converse(body, stage)}\`\`\`` : whole;
    if (language === 'yaml') await stage.write(body);
    if (language === 'sql') await stage.execute(/^-- (\w+):/.exec(body)?.[1] ?? '', body);
  }
  return performed + text.slice(end);
}

const step = /^(\$|university=>) (.*(?:\n(?:university-)?>(?: .*)?)*)\n((?:(?!\$ |university=> ).*\n)*)/gm;

async function converse(body: string, stage: Stage): Promise<string> {
  let said = '';
  for (const { 1: prompt, 2: input = '', 3: shown = '' } of body.matchAll(step)) {
    const typed = input.replaceAll(/\n(university-)?> ?/g, '\n');
    const printed = (await (prompt === '$' ? stage.shell(typed) : stage.query(typed))).trimEnd();
    const [before, gap = ''] = [shown.trimEnd(), /(?<=^|\n)\n$/.exec(shown)?.[0]];
    const output = settle(printed) === settle(before) ? before : printed;
    said += `${prompt} ${input}\n${output === '' ? '' : `${output}\n`}${gap}`;
  }
  return said;
}
