/**
 * One program in four languages. It does what the title of the person that it reads says, and answers on standard output
 * where nothing else is asked.
 */
const sh = `#!/bin/sh
document=$(cat)
title=$(printf '%s' "$document" | sed -n 's/.*"title": *"\\([^"]*\\)".*/\\1/p')
password=$(printf '%s' "$document" | sed -n 's/.*"userPassword": *"\\([^"]*\\)".*/\\1/p')
say() { printf '{"status": %s, "message": "%s", "data": {"by": "sh"}}\\n' "$1" "$2"; }
case $title in
  exit*) say "\${title#exit }" "$title"; exit "\${title#exit }" ;;
  bare*) echo "last words" >&2; exit "\${title#bare }" ;;
  status*) say "\${title#status }" "$title" ;;
  sleep) sleep 60 ;;
  children) sh -c 'echo $$ > child.pid; exec sleep 60' & wait ;;
  left) sleep 5 >/dev/null & say 0 done ;;
  held) sleep 5 & say 0 done ;;
  signal) kill -SEGV $$ ;;
  garbage) echo 'not { json } at "all'; echo '}}{{' ;;
  silent) ;;
  trace) say 1 'on stdout'; echo '{"trace": "on stderr"}' >&2; exit 1 ;;
  stderr) say 1 'on stderr' >&2; exit 1 ;;
  megabyte) yes '{"status": 1, "noise": [{}]} }' | head -c 1048576; echo; say 0 'after a megabyte' ;;
  flood) yes 'without end' ;;
  latin1) printf '{"status": 0, "message": "caf\\351"}' ;;
  secret) say 0 "the password is $password" ;;
  *) echo "begins"; echo 'a log with a " and {braces}'; say 0 "did \${title:-nothing}"; echo "ends" ;;
esac
`;

const python = `#!/usr/bin/env python3
import json, os, signal, subprocess, sys, time
document = json.load(sys.stdin)
payload = document["payload"]
identity = payload.get("identity", {}).get("identity") or payload.get("after") or payload
person = identity.get("inetOrgPerson", {})
title = person.get("title", "")
def say(status, message, to=sys.stdout):
    print(json.dumps({"status": status, "message": message, "data": {"by": "python"}}), file=to, flush=True)
word, _, number = title.partition(" ")
if word == "exit":
    say(int(number), title); sys.exit(int(number))
elif word == "bare":
    print("last words", file=sys.stderr); sys.exit(int(number))
elif word == "status":
    say(int(number), title)
elif word == "sleep":
    time.sleep(60)
elif word == "children":
    subprocess.run(["sh", "-c", "echo $$ > child.pid; exec sleep 60"])
elif word == "left":
    subprocess.Popen(["sleep", "5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); say(0, "done")
elif word == "held":
    subprocess.Popen(["sleep", "5"]); say(0, "done")
elif word == "signal":
    os.kill(os.getpid(), signal.SIGSEGV)
elif word == "garbage":
    print('not { json } at "all\\n}}{{')
elif word == "silent":
    pass
elif word == "trace":
    say(1, "on stdout"); raise KeyError({"trace": "on stderr"})
elif word == "stderr":
    say(1, "on stderr", sys.stderr); sys.exit(1)
elif word == "megabyte":
    print('{"status": 1, "noise": [{}]} }\\n' * 33000); say(0, "after a megabyte")
elif word == "flood":
    while True: print("without end")
elif word == "latin1":
    sys.stdout.buffer.write(b'{"status": 0, "message": "caf\\xe9"}')
elif word == "secret":
    say(0, "the password is " + person["userPassword"])
else:
    print('begins\\na log with a " and {braces}'); say(0, "did " + (title or "nothing")); print("ends")
`;

const node = `#!/usr/bin/env node
const { execFileSync, spawn } = require('node:child_process');
const { readFileSync, writeSync } = require('node:fs');
const { payload } = JSON.parse(readFileSync(0, 'utf8'));
const { inetOrgPerson: person = {} } = payload.identity?.identity ?? payload.after ?? payload;
const { title = '' } = person;
const [word, number] = title.split(' ');
const print = (text, to = 1) => writeSync(to, text);
const say = (status, message, to) => print(JSON.stringify({ status, message, data: { by: 'node' } }) + '\\n', to);
const acts = {
  exit: () => { say(Number(number), title); process.exitCode = Number(number); },
  bare: () => { print('last words', 2); process.exitCode = Number(number); },
  status: () => say(Number(number), title),
  sleep: () => setTimeout(() => {}, 60_000),
  children: () => execFileSync('sh', ['-c', 'echo $$ > child.pid; exec sleep 60']),
  left: () => { spawn('sleep', ['5'], { stdio: 'ignore' }).unref(); say(0, 'done'); },
  held: () => { spawn('sleep', ['5'], { stdio: 'inherit' }).unref(); say(0, 'done'); },
  signal: () => { process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 1000); },
  garbage: () => print('not { json } at "all\\n}}{{\\n'),
  silent: () => {},
  trace: () => { say(1, 'on stdout'); throw new Error('{"trace": "on stderr"}'); },
  stderr: () => { say(1, 'on stderr', 2); process.exitCode = 1; },
  megabyte: () => { for (let line = 0; line < 330; line++) print('{"status": 1, "noise": [{}]} }\\n'.repeat(100)); say(0, 'after a megabyte'); },
  flood: () => { for (;;) print('without end\\n'.repeat(100)); },
  latin1: () => print(Buffer.from('{"status": 0, "message": "caf\\u00e9"}', 'latin1')),
  secret: () => say(0, 'the password is ' + person.userPassword),
};
if (acts[word]) acts[word]();
else { print('begins\\na log with a " and {braces}\\n'); say(0, 'did ' + (title || 'nothing')); print('ends\\n'); }
`;

const perl = `#!/usr/bin/env perl
use strict;
use warnings;
use JSON::PP;
my $document = decode_json(do { local $/; <STDIN> });
my $payload = $document->{payload};
my $identity = $payload->{identity}{identity} || $payload->{after} || $payload;
my $person = $identity->{inetOrgPerson} || {};
my $title = defined $person->{title} ? $person->{title} : '';
my ($word, $number) = split / /, $title;
$word = '' unless defined $word;
$| = 1;
sub said { encode_json({ status => $_[0], message => $_[1], data => { by => 'perl' } }) . "\\n" }
if ($word eq 'exit') { print said($number + 0, $title); exit $number }
elsif ($word eq 'bare') { print STDERR "last words\\n"; exit $number }
elsif ($word eq 'status') { print said($number + 0, $title) }
elsif ($word eq 'sleep') { sleep 60 }
elsif ($word eq 'children') { system 'sh', '-c', 'echo $$ > child.pid; exec sleep 60' }
elsif ($word eq 'left') { system 'sleep 5 > /dev/null 2>&1 &'; print said(0, 'done') }
elsif ($word eq 'held') { system 'sleep 5 &'; print said(0, 'done') }
elsif ($word eq 'signal') { kill 'SEGV', $$; sleep 1 }
elsif ($word eq 'garbage') { print qq(not { json } at "all\\n}}{{\\n) }
elsif ($word eq 'silent') { }
elsif ($word eq 'trace') { print said(1, 'on stdout'); die '{"trace": "on stderr"}' }
elsif ($word eq 'stderr') { print STDERR said(1, 'on stderr'); exit 1 }
elsif ($word eq 'megabyte') { print qq({"status": 1, "noise": [{}]} }\\n) x 33000; print said(0, 'after a megabyte') }
elsif ($word eq 'flood') { print "without end\\n" while 1 }
elsif ($word eq 'latin1') { print qq({"status": 0, "message": "caf\\xe9"}) }
elsif ($word eq 'secret') { print said(0, "the password is $person->{userPassword}") }
else { print qq(begins\\na log with a " and {braces}\\n), said(0, 'did ' . ($title || 'nothing')), "ends\\n" }
`;

/** The program by the language it is written in. */
export const programs = { sh, python, node, perl } as const;
