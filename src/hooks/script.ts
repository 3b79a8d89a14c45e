/** A hook that is a program: it reads a call as JSON from standard input, and prints its answer. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ScriptHookConfig } from '../config/hooks.ts';
import type { Exit } from '../programs/exit.ts';
import { lastObject, parseObject, told } from '../programs/output.ts';
import { run } from '../programs/process.ts';
import type { Program } from '../programs/program.ts';
import { Stream } from '../programs/stream.ts';
import { isAnswer, readAnswer } from './answer.ts';
import { type Call, type Circumstances, HookError, type HookModule, type Said } from './hook.ts';

/** The most that a program may print for one call, in bytes. */
const maxOutput = 1_048_576;

export class ScriptHook implements HookModule {
  readonly name: string;
  readonly timeout: number;
  readonly secrets: boolean;
  readonly #config: ScriptHookConfig;
  readonly #program: Program;
  readonly #stream: Stream | undefined;

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: ScriptHookConfig, folder: string) {
    this.name = config.name;
    this.timeout = config.timeout;
    this.secrets = config.secrets;
    this.#config = config;
    const file = resolve(folder, config.script);
    this.#program = { line: config.script, file, arguments: config.args, rest: '', directory: dirname(file) };
    if (config.process === 'stream')
      this.#stream = new Stream(this.#program, this.#options, (line) => isAnswer(parseObject(line)));
  }

  get #options() {
    return { env: this.#config.env, shell: false, maxOutput };
  }

  async modules(): Promise<readonly HookModule[]> {
    return [this];
  }

  async call(call: Call, { begin }: Circumstances): Promise<Said | undefined> {
    if (!this.#config.functions.includes(call.function)) return undefined;
    const input = JSON.stringify(call);
    const exit = this.#stream
      ? await this.#stream.ask(input, begin)
      : await run(this.#program, `${input}\n`, this.#options, begin());
    return readExit(exit, this.timeout);
  }

  /** What is wrong with its file; nothing where it can be run. */
  async mistakes(): Promise<string[]> {
    const { file, line } = this.#program;
    try {
      if (!(await stat(file)).isFile()) return [`hook ${this.name}: found ${line}, which is no file`];
      await access(file, constants.X_OK);
      return [];
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT') return [`hook ${this.name}: there is no file ${line}`];
      const reason =
        code === 'EACCES' ? 'may not be executed: give it the right (chmod +x)' : `cannot be used: ${code}`;
      return [`hook ${this.name}: ${line} ${reason}`];
    }
  }

  async close(): Promise<void> {
    await this.#stream?.close();
  }
}

/** The answer that a program ended with. Throws `HookError`. */
export function readExit(exit: Exit, timeout: number): Said {
  const { code, signal, why, reason } = exit;
  switch (why) {
    case 'not started':
      throw new HookError(`could not be started: ${reason}`);
    case 'not reached':
    case 'too slow':
      throw new HookError(`did not answer within ${timeout} ms, and was killed`);
    case 'too much output':
      throw new HookError('printed more than 1 MB, and was killed');
  }
  if (code === null) throw new HookError(told(`was killed by ${signal}`, exit));
  if (code !== 0) throw new HookError(told(`ended with ${code}`, exit));
  const found = lastObject(exit.stdout);
  if (found === undefined) throw new HookError(told('ended without an answer', exit));
  return readAnswer(found);
}
