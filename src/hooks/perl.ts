/**
 * AOSI's own modules, unchanged: one Perl process loads what a `plugins.conf` lists and calls one function of one module at
 * a time. It is started with the first call, and again after it has died or was killed for being too slow.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { PerlConfig } from '../config/hooks.ts';
import type { LdapConfig } from '../config/ldap.ts';
import type { TargetConfig } from '../config/schema.ts';
import { readSecret, SecretError } from '../config/secret.ts';
import { parseObject } from '../programs/output.ts';
import { Stream } from '../programs/stream.ts';
import { isAnswer, readAnswer } from './answer.ts';
import { aosiName } from './aosi.ts';
import { outcomeXml } from './entry-xml.ts';
import { type Call, type Circumstances, HookError, type HookModule, type Said } from './hook.ts';
import { readExit } from './script.ts';

/** The most that Perl may print for one call, in bytes. */
const maxOutput = 1_048_576;

const none = z.object({ none: z.literal(true) });
const failed = z.object({ failed: z.string() });

const namePattern = /^[A-Za-z_]\w*(::\w+)*$/;

export class PerlHost {
  readonly #config: PerlConfig;
  /** Where relative file names of the configuration begin. */
  readonly #base: string;
  /** As the configuration writes it. */
  readonly #shown: string;
  readonly #conf: string;
  readonly #folder: string;
  readonly #stream: Stream;
  /** Functions that modules turned out not to have. */
  readonly #missing = new Set<string>();

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: PerlConfig, folder: string) {
    const { perl, modules } = config;
    this.#config = config;
    this.#base = folder;
    this.#shown = perl;
    this.#conf = resolve(folder, perl);
    this.#folder = modules === undefined ? dirname(this.#conf) : resolve(folder, modules);
    const file = fileURLToPath(new URL('./perl-host.pl', import.meta.url));
    const program = { line: 'perl', file: 'perl', arguments: [file, this.#folder], rest: '', directory: this.#folder };
    this.#stream = new Stream(program, { env: {}, shell: false, maxOutput }, isReply);
  }

  /** The modules that `plugins.conf` lists, for one target; one that only fails, where it cannot be read. */
  async modules(target: TargetConfig): Promise<HookModule[]> {
    const { timeout, secrets } = this.#config;
    const directory = target.type === 'ldap' ? target : undefined;
    const names = await this.#names();
    if (typeof names === 'string') {
      const call = () => Promise.reject(new HookError(names));
      return [{ name: this.#shown, timeout, secrets, call }];
    }
    return names.map((name) => ({
      name,
      timeout,
      secrets,
      call: (call, circumstances) => this.#call(name, directory, call, circumstances),
    }));
  }

  /** What is wrong with `plugins.conf`, or with what it lists. */
  async mistakes(): Promise<string[]> {
    const names = await this.#names();
    if (typeof names === 'string') return [names];
    const found = await Promise.all(
      names.map(async (name, index) => {
        if (!namePattern.test(name)) return `${this.#shown}: found "${name}", expected the name of a Perl module`;
        if (names.indexOf(name) !== index) return `${this.#shown}: found ${name} twice, expected each once`;
        const file = join(this.#folder, ...name.split('::'));
        const isThere = await stat(`${file}.pm`).catch(() => undefined);
        return isThere ? [] : `${this.#shown}: there is no file ${file}.pm for ${name}`;
      }),
    );
    return found.flat();
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }

  /** Names, or why there are none. */
  async #names(): Promise<string[] | string> {
    try {
      const text = await readFile(this.#conf, 'utf8');
      return text.split('\n').flatMap((line) => line.replace(/#.*/, '').trim() || []);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ENOENT' ? `there is no file ${this.#shown}` : `${this.#shown} cannot be read: ${code}`;
    }
  }

  async #call(
    name: string,
    target: LdapConfig | undefined,
    call: Call,
    { begin }: Circumstances,
  ): Promise<Said | undefined> {
    const wanted = `${name}::${aosiName(call.function)}`;
    if (this.#missing.has(wanted)) return undefined;
    const { timeout, secrets } = this.#config;
    const connection = target && connectionOf(target, this.#base);
    const request = {
      module: name,
      function: aosiName(call.function),
      type: call.type ?? null,
      target: call.target,
      status: statusesOf(call),
      base: call.baseDn ?? '',
      entry: call.entry,
      out: call.outcome ? outcomeXml(call.outcome) : '',
      ldap: connection ?? null,
      user: connection?.user ?? '',
      pwd: secrets ? (connection?.password ?? '') : '',
    };
    const { stdout, ...exit } = await this.#stream.ask(JSON.stringify(request), begin);
    const reply = exit.code === 0 && exit.why === undefined ? parseObject(stdout) : undefined;
    if (none.safeParse(reply).success) {
      this.#missing.add(wanted);
      return undefined;
    }
    const failure = failed.safeParse(reply);
    if (failure.success) throw new HookError(hide(failure.data.failed, connection?.password));
    if (reply) return hidden(readAnswer(reply), connection?.password);
    return readExit({ ...exit, stdout, stderr: hide(exit.stderr, connection?.password) }, timeout);
  }
}

function isReply(line: string): boolean {
  const reply = parseObject(line);
  return isAnswer(reply) || none.safeParse(reply).success || failed.safeParse(reply).success;
}

/** AOSI's form: numbers, and no other word than theirs. */
function statusesOf({ status }: Call) {
  const plain = ({ code, msg, panic }: Said) => ({ code, msg, panic: panic ? 1 : 0 });
  return Object.fromEntries(
    Object.entries(status).map(([name, { before, after }]) => [
      name,
      { ...(before ? { before: plain(before) } : {}), ...(after ? { after: plain(after) } : {}) },
    ]),
  );
}

/** How Net::LDAP gets at the target; it goes to Perl's standard input, and nowhere else. */
function connectionOf({ url, startTls, tls = {}, bind, timeout }: LdapConfig, folder: string) {
  const file = (name: string | undefined) => (name === undefined ? null : resolve(folder, name));
  return {
    urls: url,
    startTls,
    timeout: Math.ceil(timeout / 1000),
    ca: file(tls.ca),
    cert: file(tls.cert),
    key: file(tls.key),
    serverName: tls.serverName ?? null,
    dn: bind?.dn ?? null,
    user: bind ? userOf(bind.dn) : '',
    password: bind ? passwordOf(bind.password) : null,
  };
}

function passwordOf(secret: Parameters<typeof readSecret>[0]): string {
  try {
    return readSecret(secret);
  } catch (error) {
    if (error instanceof SecretError) throw new HookError(error.message);
    throw error;
  }
}

/** The name of an account, as AOSI's administrators log in: the value of its first RDN. */
function userOf(dn: string): string {
  return /^[^=]*=((?:\\.|[^,+\\])*)/.exec(dn)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? '';
}

function hidden(said: Said, password: string | null | undefined): Said {
  return { ...said, msg: hide(said.msg, password) };
}

function hide(text: string, password: string | null | undefined): string {
  return password ? text.replaceAll(password, '********') : text;
}
