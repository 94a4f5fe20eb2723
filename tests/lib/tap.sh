# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# TAP for shell scripts: one test a call, the plan at the end.

TAP_COUNT=0

# ok NAME COMMAND...: passes when the command succeeds; shows what it printed when not.
ok() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		tap_pass "$name"
	else
		tap_fail "$name" "failed: $*" "$said"
	fi
}

# is NAME GOT WANTED: passes when the texts are equal.
is() {
	if [ "$2" = "$3" ]; then
		tap_pass "$1"
	else
		tap_fail "$1" "got:" "$2" "wanted:" "$3"
	fi
}

# is_more NAME GOT BOUND: passes when GOT is a number above BOUND.
is_more() {
	if [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -gt "${3:-0}" ]; then
		tap_pass "$1"
	else
		tap_fail "$1" "got '$2', wanted more than $3"
	fi
}

# has NAME TEXT PART: passes when PART occurs in TEXT.
has() {
	if [[ $2 == *"$3"* ]]; then
		tap_pass "$1"
	else
		tap_fail "$1" "got:" "$2" "wanted in it:" "$3"
	fi
}

tap_pass() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1"
}

tap_fail() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "not ok $TAP_COUNT - $1"
	shift
	printf '%s\n' "$@" | sed 's/^/#   /'
}

# tap_skip NAME REASON: a test that cannot be made here.
tap_skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

# tap_take NAME FILE STATUS: the tests of another program, which it printed without numbers; the last is
# that it came to its end.
tap_take() {
	local line
	while IFS= read -r line; do
		case $line in
		'ok - '*) tap_pass "$1: ${line#ok - }" ;;
		'not ok - '*) tap_fail "$1: ${line#not ok - }" ;;
		*) echo "# ${line#'# '}" ;;
		esac
	done <"$2"
	is "$1: all of it ran" "$3" 0
}

tap_done() {
	echo "1..$TAP_COUNT"
}

# tap_bail TEXT: the harness itself is broken.
tap_bail() {
	echo "Bail out! $*"
	exit 1
}
