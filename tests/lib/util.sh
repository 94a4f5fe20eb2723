# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the lab and the tests share: messages, waiting for a state, finding the programs.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# die TEXT...: says why and ends the program.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# poll SECONDS COMMAND...: runs the command until it succeeds; fails after so many tries as fit twice
# into that time. Tries are counted, not seconds, so a machine that is slow gets more of them.
poll() {
	local tries=$((40 * $1))
	shift
	until "$@"; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# build_dir: prints the directory that holds the programs: $BUILDDIR, or build/, or the top.
build_dir() {
	local dir
	for dir in ${BUILDDIR:+"$BUILDDIR"} "$TOP/build" "$TOP"; do
		if [ -x "$dir/gatehoused" ]; then
			(cd "$dir" && pwd)
			return
		fi
		[ -z "${BUILDDIR:-}" ] || break
	done
	die "no gatehoused in ${BUILDDIR:-$TOP/build or $TOP}: build first, or set BUILDDIR"
}
