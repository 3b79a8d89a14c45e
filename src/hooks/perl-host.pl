#!/usr/bin/perl
# Runs AOSI's modules as they are: reads one call as a line of JSON, calls one function of one module, and prints what it
# returned as a line of JSON. What modules print goes to standard error. Everything that they are given is UTF-8.
#
# perl perl-host.pl FOLDER: where the modules are
use strict;
use warnings;
use utf8;
use JSON::PP ();
use POSIX ();

package Plugins;

# (code, message) of the XML in which AOSI answers; nothing where it says neither.
sub parse_ldap_xml {
    my ($xml) = @_;
    return unless defined $xml && $xml =~ m{<status\b([^>]*?)(?:/>|>(.*?)</status\s*>)}s;
    my ($attributes, $text) = ($1, $2);
    my ($code) = $attributes =~ /\bcode\s*=\s*["']\s*(-?\d+)\s*["']/;
    return ($code, _text(defined $text ? $text : ''));
}

my %entity = (amp => '&', lt => '<', gt => '>', quot => '"', apos => "'");

sub _text {
    my ($text) = @_;
    $text =~ s/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/defined $3 ? $entity{$3} : _character(defined $1 ? hex $1 : $2)/ge;
    return $text;
}

sub _character {
    my $character = chr $_[0];
    utf8::encode($character);
    return $character;
}

package main;

$INC{'Plugins.pm'} = __FILE__;

my ($folder) = @ARGV;
unshift @INC, $folder, "$folder/..";

# What modules print must not be taken for an answer.
open my $answers, '>&', \*STDOUT or die "standard output: $!";
open STDOUT, '>&', \*STDERR or die "standard error: $!";
$answers->autoflush(1);
STDOUT->autoflush(1);

my $json = JSON::PP->new->utf8->canonical;
my $self = $$;
my (%loaded, %connections);

while (defined(my $line = <STDIN>)) {
    my $reply = eval { answer(bytes($json->decode($line))) };
    $reply = { failed => text("threw: $@") } unless defined $reply;
    POSIX::_exit(0) if $$ != $self; # a child that a module forked, and that came back
    print {$answers} $json->encode($reply), "\n";
}

sub answer {
    my ($call) = @_;
    my ($module, $name) = @$call{qw(module function)};
    load($module);
    my $function = do { no strict 'refs'; defined &{"${module}::$name"} ? \&{"${module}::$name"} : undef };
    return { none => JSON::PP::true } unless $function;
    my @given = arguments($call, $name);
    my ($code, $msg, $panic) = $function->(@given);
    return { failed => 'returned nonsense: expected ($code, $msg, $panic), with a number for $code' }
        unless defined $code && !ref $code && $code =~ /^\s*-?\d{1,9}\s*$/;
    return { code => $code + 0, msg => text(defined $msg ? "$msg" : ''), panic => $panic ? JSON::PP::true : JSON::PP::false };
}

# In the order in which AOSI's document has them. Of a changed attribute it names fewer; those that it names for all other
# functions follow after them.
sub arguments {
    my ($call, $name) = @_;
    my ($status, $type, $base, $entry, $out, $user, $pwd) = @$call{qw(status type base entry out user pwd)};
    my $changed = $name =~ /ChangeAttribute$/;
    return ($status, $entry, $out, $user, $pwd) if $name =~ /^after/ && !$changed;
    my $ldap = connection($call);
    return ($status, $ldap, $base, $entry, $user, $pwd) unless $changed;
    return ($status, $type, $ldap, $base, $entry, $name =~ /^after/ ? $out : (), $user, $pwd);
}

# A module is read once; one that cannot be is tried again with the next call.
sub load {
    my ($module) = @_;
    return if $loaded{$module};
    die "not the name of a Perl module: $module\n" unless $module =~ /^[A-Za-z_]\w*(?:::\w+)*$/;
    (my $file = "$module.pm") =~ s{::}{/}g;
    delete $INC{$file};
    require $file;
    $loaded{$module} = 1;
}

# A connection to the target of a call, made when it is first needed and again when the server has closed it.
sub connection {
    my ($call) = @_;
    my ($target, $given) = @$call{qw(target ldap)};
    return unless $given;
    my $ldap = $connections{$target};
    return $ldap if $ldap && is_open($ldap);
    return $connections{$target} = connect_to($given);
}

# An idle connection has nothing to say, unless that it ends.
sub is_open {
    my ($ldap) = @_;
    my $socket = $ldap->socket or return 0;
    require IO::Select;
    return $socket->connected && !IO::Select->new($socket)->can_read(0);
}

sub connect_to {
    my ($given) = @_;
    need('Net/LDAP.pm', 'libnet-ldap-perl');
    need('IO/Socket/SSL.pm', 'libio-socket-ssl-perl') if $given->{startTls} || grep { /^ldaps:/ } @{$given->{urls}};
    my %tls = (verify => 'require');
    $tls{cafile} = $given->{ca} if defined $given->{ca};
    $tls{clientcert} = $given->{cert} if defined $given->{cert};
    $tls{clientkey} = $given->{key} if defined $given->{key};
    $tls{sslserver} = $given->{serverName} if defined $given->{serverName};
    my $ldap = Net::LDAP->new($given->{urls}, timeout => $given->{timeout}, %tls)
        or die "cannot connect to @{$given->{urls}}: $@\n";
    check($ldap->start_tls(%tls), 'start_tls') if $given->{startTls};
    check($ldap->bind($given->{dn}, password => $given->{password}), "cannot bind as $given->{dn}") if defined $given->{dn};
    return $ldap;
}

sub need {
    my ($file, $package) = @_;
    eval { require $file; 1 } or die "$file is not installed (on Debian: apt-get install $package)\n";
}

sub check {
    my ($result, $what) = @_;
    die "$what: " . $result->error . "\n" if $result->code;
}

# Every text in a structure as UTF-8.
sub bytes {
    my ($value) = @_;
    return { map { bytes($_) => bytes($value->{$_}) } keys %$value } if ref $value eq 'HASH';
    return [map { bytes($_) } @$value] if ref $value eq 'ARRAY';
    return $value if ref $value || !defined $value;
    utf8::encode($value) if utf8::is_utf8($value);
    return $value;
}

# What a module said as characters: it may have said it in characters, or as UTF-8, whatever Perl took that for.
sub text {
    my ($value) = @_;
    my $octets = $value;
    $value = $octets if utf8::downgrade($octets, 1) && utf8::decode($octets);
    $value =~ s/\s+\z//;
    return $value;
}
