#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# A strict reader of the TAP 14 that enomem writes: version, plans before points, numbers without gaps, YAML blocks right
# after their point and closed, subtests that come to what their points say. Prints "points N, subtests N, failed N".
use strict;
use warnings;

my @line = map { chomp; $_ } <STDIN>;
my ($at, $points, $subtests, $failed) = (0, 0, 0, 0);

sub wrong { printf "line %d: %s: %s\n", $at + 1, $_[0], $line[$at] // 'end of input'; exit 1 }

# What YAML and JSON agree on: a scalar is a number or a double-quoted string without a raw control character.
my $string = qr/"(?:[^"\\\x00-\x1f\x7f]|\\["\\nt]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4})*"/;
my $scalar = qr/$string|-?\d+(?:\.\d+)?/;

sub yaml_block
{
	my ($indent) = @_;
	my $pad = ' ' x $indent;
	my ($key_open, %seen) = (0);
	$at++;
	for (; $at < @line; $at++) {
		return $at++ if $line[$at] eq "$pad...";
		if ($line[$at] =~ /^$pad([a-z_]+):(?: ($scalar))?$/) {
			wrong("key twice") if $seen{$1}++;
			$key_open = !defined $2;
		} elsif ($line[$at] =~ /^$pad  (?:- $scalar|[a-z_]+: $scalar)$/) {
			wrong("nested below a scalar") unless $key_open;
		} else {
			wrong("not a line of a YAML block");
		}
	}
	wrong("YAML block without an end");
}

sub level
{
	my ($indent) = @_;
	my $pad = ' ' x $indent;
	my ($plan, $number, $bad, $subtest, $subtest_bad) = (undef, 0, 0);
	while ($at < @line && $line[$at] =~ /^$pad(?! )(.*)$/) {
		my $text = $1;
		if ($text =~ /^# Subtest: (.+)$/) {
			wrong("subtest inside a subtest") if $indent;
			wrong("subtest without a point") if defined $subtest;
			($subtest, $at) = ($1, $at + 1);
			$subtest_bad = level($indent + 4);
			$subtests++;
		} elsif ($text =~ /^#/) {
			wrong("comment after the plan") if defined $plan;
			$at++;
		} elsif ($text =~ /^1\.\.(\d+)(?: # SKIP .+)?$/) {
			wrong("second plan") if defined $plan;
			wrong("plan after a point") if $number;
			($plan, $at) = ($1, $at + 1);
		} elsif ($text =~ /^(not )?ok (\d+) - ([^#\\]+?)( # SKIP [^#\\]+)?$/) {
			my ($not, $name, $skip) = (defined $1, $3, $4);
			wrong("point before the plan") unless defined $plan;
			wrong("number out of order") if $2 != ++$number;
			wrong("not ok and skipped") if $not && $skip;
			if (defined $subtest) {
				wrong("point of another subtest") if $name ne $subtest;
				wrong("ok, yet a point of it is not") if $subtest_bad && !$not;
				undef $subtest;
			}
			$points++;
			$failed++, $bad++ if $not;
			$at++;
			if ($at < @line && $line[$at] eq "$pad  ---") {
				wrong("diagnostics of a point that is ok") unless $not;
				yaml_block($indent + 2);
			} elsif ($not) {
				wrong("not ok without diagnostics");
			}
		} else {
			wrong("no line of TAP");
		}
	}
	wrong("no plan") unless defined $plan;
	wrong("$plan planned, $number seen") if $plan != $number;
	wrong("subtest without a point") if defined $subtest;
	return $bad;
}

wrong("no version 14") unless @line && $line[$at++] eq 'TAP version 14';
level(0);
wrong("behind the end") if $at < @line;
print "points $points, subtests $subtests, failed $failed\n";
