/** A private OpenLDAP server for the demo and the tests, on 127.0.0.1, gone with the program that started it. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'ldapts';
import { type Certificate, createCertificate } from './certificate.ts';
import { freePort } from './free-port.ts';
import { LaunchError } from './launch-error.ts';
import { createScratch, ended, outcome } from './scratch.ts';

const HOST = '127.0.0.1';
const SCHEMAS = ['core', 'cosine', 'nis', 'inetorgperson'];
const SCHEMA_FOLDER = '/etc/ldap/schema';
const MODULE_FOLDER = '/usr/lib/ldap';
/** Milliseconds a server may take until it answers; a starting server that still lives by then is given up. */
const PATIENCE = 30_000;

export interface SlapdOptions {
  /** The naming context; default `dc=example,dc=org`. */
  suffix?: string;
  /** Whether writes wait for the disk; default true. */
  durable?: boolean;
  /** Modules to load, such as `['ppolicy', 'refint']`. */
  modules?: readonly string[];
  /** Lines for the global part of slapd.conf, such as `idletimeout 1`. */
  global?: readonly string[];
  /** Lines for the database's part, such as `overlay refint` or `limits …`; its access rules come before the default ones. */
  database?: readonly string[];
}

export interface SlapdServer {
  /** `ldap://127.0.0.1:PORT`; StartTLS works there. */
  readonly url: string;
  /** `ldaps://127.0.0.1:PORT` */
  readonly ldapsUrl: string;
  /** File of the authority's certificate (PEM) that the server's certificate is signed by. */
  readonly ca: string;
  readonly suffix: string;
  /** The root identity of the database, which no access rule and no limit stops. */
  readonly bind: { readonly dn: string; readonly password: string };
  /** A folder of the server's own, for files that go with it. */
  readonly folder: string;
  /** The process id; undefined while stopped. */
  readonly pid: number | undefined;
  /** Stops the server in order; its data stay. */
  stop(): Promise<void>;
  /** Starts a stopped server again, on the same ports; returns when it answers. */
  start(): Promise<void>;
  /** Sends a signal: SIGKILL crashes it (returns when it is gone), SIGSTOP makes it hang (returns when every thread has stopped), SIGCONT lets it go on. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops the server and removes all its data. */
  close(): Promise<void>;
}

/** An ordinary user's PATH may leave out /usr/sbin, where Debian puts slapd. */
async function findSlapd(): Promise<string> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/libexec'];
  for (const folder of folders.filter((name) => name !== '')) {
    const path = join(folder, 'slapd');
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new LaunchError('slapd is not installed. On Debian or Ubuntu: apt-get install slapd ldap-utils openssl');
}

function configuration(
  folder: string,
  options: SlapdOptions,
  suffix: string,
  password: string,
  tls: Certificate,
): string {
  const { modules = [], global = [], database = [], durable = true } = options;
  return [
    ...SCHEMAS.map((name) => `include ${SCHEMA_FOLDER}/${name}.schema`),
    `modulepath ${MODULE_FOLDER}`,
    ...['back_mdb', ...modules].map((name) => `moduleload ${name}`),
    `pidfile ${folder}/slapd.pid`,
    'threads 4',
    `TLSCACertificateFile ${tls.ca}`,
    `TLSCertificateFile ${tls.certificate}`,
    `TLSCertificateKeyFile ${tls.key}`,
    ...global,
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "cn=admin,${suffix}"`,
    `rootpw ${password}`,
    `directory ${folder}/data`,
    // The most the file may grow to, not what it takes.
    'maxsize 1073741824',
    ...(durable ? [] : ['dbnosync']),
    'index objectClass,entryUUID,entryCSN eq',
    'index uid,cn,mail,employeeNumber,member eq',
    ...database,
    'access to attrs=userPassword by self =xw by anonymous auth by * none',
    'access to * by * read',
    '',
  ].join('\n');
}

/**
 * Creates and starts an OpenLDAP server with an empty database: schemas core, cosine, nis and inetorgperson, ldap:// and
 * ldaps:// with a certificate of its own authority, everything but passwords readable by everybody. It runs as the current
 * user and needs Debian's packages slapd and openssl.
 *
 * @throws LaunchError when slapd is missing or fails
 */
export async function startSlapd(options: SlapdOptions = {}): Promise<SlapdServer> {
  const slapd = await findSlapd();
  const scratch = await createScratch('slapd');
  try {
    const { suffix = 'dc=example,dc=org' } = options;
    const bind = { dn: `cn=admin,${suffix}`, password: randomBytes(18).toString('base64url') };
    const tls = await createCertificate(scratch);
    const file = join(scratch.path, 'slapd.conf');
    await mkdir(join(scratch.path, 'data'), { mode: 0o700 });
    await writeFile(file, configuration(scratch.path, options, suffix, bind.password, tls), { mode: 0o600 });

    const url = `ldap://${HOST}:${await freePort()}`;
    const ldapsUrl = `ldaps://${HOST}:${await freePort()}`;
    let server: ChildProcess | undefined;

    const start = async () => {
      if (server) return;
      // `-d none` keeps it in the foreground and lets it print what keeps it from starting, and no more.
      const started = scratch.start(slapd, ['-f', file, '-h', `${url} ${ldapsUrl}`, '-d', 'none'], {
        log: 'slapd.log',
      });
      server = started;
      for (const until = Date.now() + PATIENCE; !(await answers(url, bind)); await setTimeout(10)) {
        const over = started.pid === undefined || started.exitCode !== null || started.signalCode !== null;
        if (!over && Date.now() < until) continue;
        const state = over ? outcome(started) : `no answer within ${PATIENCE / 1000} s`;
        throw new LaunchError(
          `slapd did not start on ${url} (${state}). It says:\n${await scratch.printed('slapd.log')}`,
        );
      }
    };
    const end = async (signal: NodeJS.Signals) => {
      const ending = server;
      server = undefined;
      ending?.kill(signal);
      if (ending) await ended(ending);
    };
    await start();
    return {
      url,
      ldapsUrl,
      ca: tls.ca,
      suffix,
      bind,
      folder: scratch.path,
      get pid() {
        return server?.pid;
      },
      start,
      stop: () => end('SIGTERM'),
      kill: async (signal) => {
        if (signal === 'SIGKILL') await end(signal);
        else server?.kill(signal);
        if (signal === 'SIGSTOP' && server?.pid !== undefined) await halted(server.pid);
      },
      close: () => scratch.remove(),
    };
  } catch (error) {
    await scratch.remove();
    throw error;
  }
}

/** Resolves when every thread of a process has stopped, which is some time after it was sent the signal. */
async function halted(pid: number): Promise<void> {
  const folder = `/proc/${pid}/task`;
  const states = async () =>
    Promise.all((await readdir(folder)).map(async (thread) => readFile(`${folder}/${thread}/stat`, 'utf8')));
  while ((await states()).some((stat) => !/\) [Tt] /.test(stat))) await setTimeout(5);
}

async function answers(url: string, bind: { dn: string; password: string }): Promise<boolean> {
  const client = new Client({ url, connectTimeout: 5_000, timeout: 5_000 });
  try {
    await client.bind(bind.dn, bind.password);
    return true;
  } catch {
    return false;
  } finally {
    await client.unbind().catch(() => undefined);
  }
}
