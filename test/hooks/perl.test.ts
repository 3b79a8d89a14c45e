import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { script } from '../../src/config/script.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { create, createWorkshop, done, ldapConfig, remove, update, type Workshop } from './workshop.ts';

/** The skeletons of AOSI's document for all six functions, filled in: each says what it was given. */
const skeletons = `package MojModul;

sub beforeAddUser{
my($status_hash, $ldap, $base_dn, $entry_in, $user, $pwd) = @_;

    my ($ime) = $entry_in =~ m{<attribute ldapname="cn">\\s*<value>(.*?)</value>}s;
    print "ispis: $ime\\n";
    my ($code, $msg, $out_panic) = (0, ref($ldap) . " $base_dn $ime $user [$pwd]", 0);

    return $code, $msg, $out_panic;
}

sub beforeDeleteUser{
my($status_hash, $ldap, $base_dn, $entry_in, $user, $pwd) = @_;
    my $search = $ldap->search(base => $base_dn, scope => 'sub', filter => '(uid=eve)', attrs => ['cn']);
    return 0, 'found ' . $search->count, 0;
}

sub beforeChangeAttribute{
my($status_hash, $type, $ldap, $base_dn, $entry_in) = @_;
    my @imena = $entry_in =~ /ldapname="(\\w+)"/g;
    return 0, "type $type: " . join(' ', @imena) . ' at ' . $base_dn, 0;
}

sub afterAddUser{
    my($status_hash, $entry_in, $out_xml, $user, $pwd) = @_;
    my($code, $msg, $before_code, $before_msg, $before_panic);

    ($code, $msg) = Plugins::parse_ldap_xml($out_xml);

    $before_code = $status_hash->{'MojModul'}->{'before'}->{'code'};
    $before_msg = $status_hash->{'MojModul'}->{'before'}->{'msg'};
    $before_panic = $status_hash->{'MojModul'}->{'before'}->{'panic'};

    return -10142, "$code $msg; before: $before_code, panic=$before_panic", 0;
}

sub afterDeleteUser{
    my($status_hash, $entry_in, $out_xml, $user, $pwd) = @_;
    my ($code, $msg) = Plugins::parse_ldap_xml($out_xml);
    return $code, $msg, 0;
}

sub afterChangeAttribute{
    my($status_hash, $type, $ldap, $base_dn, $entry_in) = @_;
    return 0, "after $type", 0;
}

1;
`;

/** Does what its name for the creation says. */
const moody = `package Moody;
use strict;
my $calls = 0;
sub beforeAddUser {
    my ($status_hash, $ldap, $base_dn, $entry_in) = @_;
    my ($mood) = $entry_in =~ m{<value>(.*?)</value>};
    $calls += 1;
    die "it broke\\n" if $mood eq 'dies';
    exit 3 if $mood eq 'exits';
    kill 9, $$ if $mood eq 'is killed';
    sleep 60 if $mood eq 'sleeps';
    while ($mood eq 'floods') { print 'without end' x 1000; }
    return 'yes' if $mood eq 'talks';
    return if $mood eq 'says nothing';
    return (0, { a => 1 }) if $mood eq 'refers';
    return (-10101, 'ne može', 1) if $mood eq 'panics';
    if ($mood eq 'forks') { my $child = fork; return (0, 'child') unless $child; waitpid $child, 0; return (0, 'parent'); }
    return (0, "call $calls");
}
1;
`;

describe("AOSI's Perl modules", () => {
  let directory: Directory;
  let shop: Workshop;
  const target = () => ldapConfig({ url: directory.url, bind: directory.bind });
  const hooksOf = (more: Readonly<Record<string, unknown>> = {}) =>
    shop.hooks([{ perl: 'Plugins/plugins.conf', timeout: '10s', ...more }], target());

  beforeAll(async () => {
    directory = await createDirectory();
  });
  afterAll(() => directory.close());
  beforeEach(async () => {
    shop = await createWorkshop({
      'Plugins/plugins.conf': '# those of this university\nMojModul\n\nMoody\n',
      'Plugins/MojModul.pm': skeletons,
      'Plugins/Moody.pm': moody,
    });
  });
  afterEach(() => shop.close());

  /** What modules said of a creation in this mood. */
  async function said(mood: string, hooks = hooksOf({ timeout: '2s' })) {
    const change = { ...create, operation: 'create' as const, attributes: { cn: [mood] } };
    const round = await shop.round(hooks, change);
    const panic = await round.before();
    return { panic, moody: round.statuses.find(({ module }) => module === 'Moody') };
  }

  test('are called as the document has them, with a connection that works', async () => {
    await directory.add(
      'dn: uid=eve,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: eve\ncn: Eve\nsn: Eve\n',
    );
    const hooks = hooksOf();
    const all: string[] = [];
    for (const change of [create, update, remove]) {
      const round = await shop.round(hooks, change);
      expect(await round.before()).toBeUndefined();
      expect(await round.after(done)).toBeUndefined();
      const own = round.statuses.filter(({ module }) => module === 'MojModul');
      all.push(...own.map(({ hook, code, message }) => `${hook}: ${code} ${message}`));
    }
    expect(all).toEqual([
      'beforeCreate: 0 Net::LDAP dc=example,dc=org Ada Lovelace admin []',
      'afterCreate: -10142 0 Success!; before: 0, panic=0',
      'beforeUpdate add: 0 type 1: mail roomNumber at dc=example,dc=org',
      'beforeUpdate modify: 0 type 2: cn at dc=example,dc=org',
      'beforeUpdate delete: 0 type 3: telephoneNumber at dc=example,dc=org',
      'afterUpdate add: 0 after 1',
      'afterUpdate modify: 0 after 2',
      'afterUpdate delete: 0 after 3',
      'beforeRemove: 0 found 1',
      'afterRemove: 0 Success!',
    ]);
  });

  test('are told what became of a change, in whatever words', async () => {
    const round = await shop.round(hooksOf(), remove);
    const message = 'it says: "no" & <never>, Ćiro';
    await round.after({ ...done, done: false, code: -81, message });
    expect(round.statuses).toMatchObject([{ hook: 'afterRemove', code: -81, message }]);
  });

  test('see the password where they may, and cannot tell it', async () => {
    const round = await shop.round(hooksOf({ secrets: true }), create);
    await round.before();
    expect(round.statuses[0]?.message).toBe('Net::LDAP dc=example,dc=org Ada Lovelace admin [********]');
  });

  test('are given UTF-8, and understood in it', async () => {
    const change = { ...create, operation: 'create' as const, attributes: { cn: ['Željko Čačić'] } };
    const round = await shop.round(hooksOf(), change);
    await round.before();
    expect(round.statuses[0]?.message).toContain('Željko Čačić');
  });

  test('stop everything that follows with a panic', async () => {
    const { panic } = await said('panics');
    expect(panic).toBe('hook Moody, beforeCreate: ne može');
  });

  test.each([
    ['dies', 'threw: it broke'],
    ['exits', /^ended with 3/],
    ['is killed', /^was killed by SIGKILL/],
    ['sleeps', 'did not answer within 2000 ms, and was killed'],
    ['floods', 'printed more than 1 MB, and was killed'],
    ['talks', /^returned nonsense/],
    ['says nothing', /^returned nonsense/],
  ])('that are in the mood "%s" have failed, and the next call is made', async (mood, message) => {
    const hooks = hooksOf({ timeout: '2s' });
    expect((await said(mood, hooks)).moody).toMatchObject({ code: -10_000, message: expect.stringMatching(message) });
    expect((await said('calm', hooks)).moody).toMatchObject({ code: 0, message: expect.stringMatching(/^call \d$/) });
  });

  test('may fork: only the parent goes on', async () => {
    const hooks = hooksOf();
    expect((await said('forks', hooks)).moody).toMatchObject({ code: 0, message: 'parent' });
    expect((await said('calm', hooks)).moody).toMatchObject({ message: 'call 2' });
  });

  test('are connected again after the server was restarted, and have failed while it is away', async () => {
    const hooks = hooksOf();
    const count = async () => {
      const round = await shop.round(hooks, remove);
      await round.before();
      return round.statuses.map(({ code, message }) => `${code} ${message}`).join();
    };
    const [before] = [await count()];
    expect(before).toMatch(/^0 found \d$/);
    await directory.stop();
    expect(await count()).toMatch(/^-10000 threw: cannot connect to ldap/);
    await directory.start();
    expect(await count()).toBe(before);
  });

  test.each([
    ['ldaps', () => ({ url: directory.ldapsUrl, tls: { ca: directory.ca } })],
    ['StartTLS', () => ({ url: directory.url, startTls: true, tls: { ca: directory.ca } })],
    ['the second of two servers', () => ({ url: ['ldap://127.0.0.1:1', directory.url] })],
  ])('are connected by %s as the target is', async (_, place) => {
    const target = ldapConfig({ ...place(), bind: directory.bind });
    const round = await shop.round(shop.hooks([{ perl: 'Plugins/plugins.conf' }], target), remove);
    await round.before();
    expect(round.statuses).toMatchObject([{ code: 0, message: /^found \d$/ }]);
  });

  test('are not connected to a server whose certificate nobody vouches for, nor with a wrong password', async () => {
    for (const [place, reason] of [
      [{ url: directory.ldapsUrl, bind: directory.bind }, /^threw: cannot connect to ldaps.*certificate verify failed/],
      [
        { url: directory.url, bind: { dn: directory.bind.dn, password: 'hunter2' } },
        /^threw: cannot bind as cn=admin,dc=example,dc=org: /,
      ],
    ] as const) {
      const round = await shop.round(shop.hooks([{ perl: 'Plugins/plugins.conf' }], ldapConfig(place)), remove);
      await round.before();
      expect(round.statuses).toMatchObject([{ code: -10_000, message: reason }]);
    }
  });

  test('have no connection where the target is no directory', async () => {
    const target = script.parse({ type: 'script', entities: {} });
    const round = await shop.round(shop.hooks([{ perl: 'Plugins/plugins.conf' }], target), create, { baseDn: null });
    await round.before();
    expect(round.statuses[0]).toMatchObject({ code: 0, message: 'Ada Lovelace  []' });
  });

  test('that cannot be read have failed; whoever applies the configuration is told what is missing', async () => {
    await shop.write({
      'Plugins/MojModul.pm': 'package MojModul; sub {',
      'Plugins/plugins.conf': 'MojModul\nNowhere\n',
    });
    const hooks = hooksOf();
    const round = await shop.round(hooks, create);
    await round.before();
    expect(round.statuses).toMatchObject([
      { module: 'MojModul', code: -10_000, message: /^threw: .*MojModul\.pm/ },
      { module: 'Nowhere', code: -10_000, message: /^threw: Can't locate Nowhere\.pm/ },
    ]);
    const missing = `Plugins/plugins.conf: there is no file ${join(shop.folder, 'Plugins/Nowhere.pm')} for Nowhere`;
    expect(await hooks.mistakes()).toEqual([missing]);
    await rm(join(shop.folder, 'Plugins/plugins.conf'));
    const none = hooksOf();
    expect(await none.mistakes()).toEqual(['there is no file Plugins/plugins.conf']);
    const alone = await shop.round(none, create);
    await alone.before();
    expect(alone.statuses).toMatchObject([
      { module: 'Plugins/plugins.conf', code: -10_000, message: /^there is no file/ },
    ]);
  });
});
