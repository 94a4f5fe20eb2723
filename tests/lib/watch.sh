# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Commands that last: started in the background, waited for until they are at work, and ended. What
# one prints is in $WORK/NAME. Needs net.sh.

# watch_begin NAME UNIT READY LINES: types the lines on the unit; READY is a command that gets NAME
# and succeeds once the last of them is at work; it may be at its end soon.
watch_begin() {
	local name=$1 unit=$2 ready=$3
	"$LAB_PROGRAM" exec "$unit" "$4" >"$WORK/$name" 2>&1 &
	echo $! >"$WORK/$name.pid"
	poll 10 watch_is_on "$name" "$ready" || tap_bail "$name does not start: $(head -n 5 "$WORK/$name")"
}

watch_is_on() {
	"$2" "$1" || watch_ended "$1"
}

# watch_end NAME: waits for its end; prints its output.
watch_end() {
	poll 60 watch_ended "$1" || echo "$1 does not end"
	cat "$WORK/$1"
}

watch_ended() {
	! watch_lasts "$1"
}

# watch_lasts NAME: it has not ended.
watch_lasts() {
	kill -0 "$(cat "$WORK/$1.pid")" 2>/dev/null
}

# shells UNIT: process ids of the shells that run on the unit.
shells() {
	local pid
	for pid in $(ip netns pids "$(ns "$1")"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != gatehouse ] || echo "$pid"
	done
}

# type_at_terminal UNIT SCRIPT: a session at a terminal, driven by an expect(1) script. The terminal has
# no size, so nothing is paged, unless $SCREEN has one for stty(1).
type_at_terminal() {
	expect -c "
		set timeout 20
		set stty_init {${SCREEN:-rows 0 columns 0}}
		proc fail {what} { puts stderr \"expected: \$what\"; exit 1 }
		proc await {what} { expect -ex \$what {} timeout { fail \$what } eof { fail \$what } }
		spawn -noecho $LAB_PROGRAM shell $1
		await {# }
		$2
		send \"exit\\r\"
		expect eof
	"
}
