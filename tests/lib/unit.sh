# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The daemons of a unit: start, readiness, end, and commands to them. A unit keeps its state in
# $LAB_DIR/UNIT/state, its sockets in $LAB_DIR/UNIT/run and its logs in $LAB_DIR/UNIT/log and sync.log.
#
# Needs util.sh and topology.sh.

LAB_DIR=${TMPDIR:-/tmp}/gatehouse-$LAB
READY_S=20

# daemon_user: prints the user the daemons run as; `nobody` on a machine without the packaged user.
daemon_user() {
	if id -u "${GATEHOUSE_USER:-gatehouse}" >/dev/null 2>&1; then
		echo "${GATEHOUSE_USER:-gatehouse}"
	else
		echo nobody
	fi
}

# sync_user: the same for gatehouse-syncd.
sync_user() {
	if id -u "${GATEHOUSE_SYNC_USER:-gatehouse-sync}" >/dev/null 2>&1; then
		echo "${GATEHOUSE_SYNC_USER:-gatehouse-sync}"
	else
		echo nobody
	fi
}

unit_dir() {
	echo "$LAB_DIR/$1"
}

# unit_make UNIT: an empty state directory and a place for sockets.
unit_make() {
	local dir user
	dir=$(unit_dir "$1")
	user=$(daemon_user)
	mkdir "$dir" && install -d -m 0700 -o "$user" -g "$(id -gn "$user")" "$dir/state" &&
		install -d -m 0755 -o "$user" -g "$(id -gn "$user")" "$dir/run"
}

# unit_start UNIT: starts the daemon, with the options in GATEHOUSED_OPTIONS too, and waits until it
# answers.
unit_start() {
	local dir
	dir=$(unit_dir "$1")
	! unit_running "$1" || return 0
	unit_launch "$1"
	poll "$READY_S" unit_settled "$1"
	if ! unit_answers "$1"; then
		echo "lab: gatehoused of unit $1 does not answer; end of its log:" >&2
		tail -n 20 "$dir/log" >&2
		return 1
	fi
}

# unit_launch UNIT: starts the daemon and waits for nothing.
unit_launch() {
	local dir user
	dir=$(unit_dir "$1")
	user=$(daemon_user)
	# shellcheck disable=SC2086 # a list of words
	setsid ip netns exec "$(ns "$1")" "$(build_dir)/gatehoused" \
		--state-dir "$dir/state" --run-dir "$dir/run" --user "$user" --group "$(id -gn "$user")" \
		--sync-user "$(sync_user)" ${GATEHOUSED_OPTIONS:-} </dev/null >>"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
}

# unit_settled UNIT: it answers, or has died and never will.
unit_settled() {
	unit_answers "$1" || ! kill -0 "$(unit_pid "$1")" 2>/dev/null
}

# unit_running UNIT: its daemon lives, that is, a process of that number is in the unit's namespace.
unit_running() {
	local pid
	pid=$(unit_pid "$1") && [ "/proc/$pid/ns/net" -ef "/run/netns/$(ns "$1")" ]
}

# unit_pid UNIT: prints the process id of its daemon; fails when none was started.
unit_pid() {
	cat "$(unit_dir "$1")/pid" 2>/dev/null
}

unit_answers() {
	unit_shell "$1" -c '' </dev/null >/dev/null 2>&1
}

# unit_end UNIT SIGNAL: ends the daemon alone; links, rules and addresses stay as they are.
unit_end() {
	local pid
	unit_running "$1" || return 0
	pid=$(unit_pid "$1")
	kill -s "$2" "$pid"
	poll 10 unit_ended "$1" || die "gatehoused of unit $1 (pid $pid) does not end"
}

unit_ended() {
	! unit_running "$1"
}

# unit_sync_start UNIT: starts gatehouse-syncd, with the options in SYNCD_OPTIONS too, and waits until
# it is attached.
unit_sync_start() {
	local dir
	dir=$(unit_dir "$1")
	! unit_sync_running "$1" || return 0
	unit_sync_launch "$1"
	poll "$READY_S" unit_sync_settled "$1"
	unit_syncs "$1" && return
	echo "lab: gatehouse-syncd of unit $1 is not attached; end of its log:" >&2
	tail -n 20 "$dir/sync.log" >&2
	return 1
}

# unit_sync_launch UNIT: starts gatehouse-syncd and waits for nothing.
unit_sync_launch() {
	local dir
	dir=$(unit_dir "$1")
	setsid ip netns exec "$(ns "$1")" "$(build_dir)/gatehouse-syncd" --run-dir "$dir/run" \
		--user "$(sync_user)" --group "$(id -gn "$(daemon_user)")" ${SYNCD_OPTIONS:-} \
		</dev/null >>"$dir/sync.log" 2>&1 &
	echo $! >"$dir/sync.pid"
}

# unit_sync_settled UNIT: it answers, or has died and never will.
unit_sync_settled() {
	unit_syncs "$1" || ! kill -0 "$(unit_sync_pid "$1")" 2>/dev/null
}

# unit_syncs UNIT: its gatehouse-syncd answers.
unit_syncs() {
	unit_peers "$1" >/dev/null
}

# unit_peers UNIT: prints what its gatehouse-syncd says of its peers.
unit_peers() {
	unit_shell "$1" -c 'diagnose sys ha standalone-peers' </dev/null 2>/dev/null
}

# unit_in_sync UNIT: all sessions are there with all its peers, and theirs here.
unit_in_sync() {
	local peers
	peers=$(unit_peers "$1") && ! grep '^peer ' <<<"$peers" | grep -qv ': in-sync$'
}

# unit_in_group UNIT: all that it knows of the group of auto-scale is in sync.
unit_in_group() {
	unit_shell "$1" -c 'get system ha status' </dev/null 2>/dev/null | grep -q '^HA Health Status: OK$'
}

# unit_sync_running UNIT: gatehouse-syncd lives in the unit's namespace.
unit_sync_running() {
	local pid
	pid=$(unit_sync_pid "$1") && [ "/proc/$pid/ns/net" -ef "/run/netns/$(ns "$1")" ]
}

# unit_sync_pid UNIT: prints its process id; fails when none was started.
unit_sync_pid() {
	cat "$(unit_dir "$1")/sync.pid" 2>/dev/null
}

# unit_sync_signal UNIT SIGNAL: to gatehouse-syncd alone, if it runs in the unit's namespace.
unit_sync_signal() {
	unit_sync_running "$1" && kill -s "$2" "$(unit_sync_pid "$1")"
}

# unit_sync_end UNIT SIGNAL: ends gatehouse-syncd alone.
unit_sync_end() {
	unit_sync_running "$1" || return 0
	unit_sync_signal "$1" "$2"
	poll 10 unit_sync_ended "$1" || die "gatehouse-syncd of unit $1 (pid $(unit_sync_pid "$1")) does not end"
}

unit_sync_ended() {
	! unit_sync_running "$1"
}

# unit_shell UNIT ARGUMENT...: the Gatehouse shell of the unit, run on the unit.
unit_shell() {
	local unit=$1
	shift
	on "$unit" "$(build_dir)/gatehouse" --socket "$(unit_dir "$unit")/run/ctl" "$@"
}

# unit_faults UNIT: prints what sanitizers reported in the unit's log; fails when there is nothing.
unit_faults() {
	grep -s -h -A 40 -e 'ERROR: [A-Za-z]*Sanitizer' -e ': runtime error: ' \
		"$(unit_dir "$1")/log" "$(unit_dir "$1")/sync.log"
}
