# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Streams through the lab, each set of them a process of tests/lib/streams in the background; its
# report is $WORK/NAME. Needs util.sh, topology.sh, tap.sh, and a directory $WORK.

STREAM_PORT=7000 # the next set's, before and behind the unit

# stream_rules: what a unit needs to let them through, as a script of its shell.
stream_rules() {
	local proto
	echo "config firewall vip"
	for proto in tcp udp; do
		printf '%s\n' "edit streams-$proto" "set extip $FLOATING_IP" "set mappedip $SERVER_IP" \
			"set extintf port1" "set portforward enable" "set protocol $proto" \
			"set extport 7000-7999" "set mappedport 7000-7999" next
	done
	printf '%s\n' end "config firewall policy" "edit 20" "set srcintf port1" "set dstintf port2" \
		"set srcaddr all" "set dstaddr streams-tcp streams-udp" "set service ALL" \
		"set schedule always" "set action accept" end
}

# stream_begin NAME CLIENT [OPTION...]: returns when all streams of the set stand.
stream_begin() {
	local name=$1 client=$2
	rm -f "$WORK/$name"
	"$TOP/tests/lib/streams" --report "$WORK/$name" "${@:3}" "$(ns "$client")" "$(ns server)" \
		"$FLOATING_IP" "$STREAM_PORT" "$STREAM_PORT" 2>"$WORK/$name.error" &
	echo $! >"$WORK/$name.pid"
	STREAM_PORT=$((STREAM_PORT + 1))
	poll 30 test -e "$WORK/$name" || tap_bail "streams $name do not begin: $(cat "$WORK/$name.error")"
}

# stream_count NAME WHAT: a figure of its report: streams, alive, said, heard, gap-ms, lost, waiting.
stream_count() {
	sed -n "s/.*\\b$2=\\([0-9]*\\).*/\\1/p" "$WORK/$1"
}

# stream_say NAME client|server: these ends of a set that is silent (--kind ask) say something.
stream_say() {
	local signal=USR1
	[ "$2" = client ] || signal=USR2
	kill -s "$signal" "$(cat "$WORK/$1.pid")"
}

# stream_asked NAME N: something was said N times on each stream of a silent set, and all of it heard.
stream_asked() {
	local n=$(($2 * $(stream_count "$1" streams)))
	[ "$(stream_count "$1" said)" -ge "$n" ] && [ "$(stream_count "$1" said)" = "$(stream_count "$1" heard)" ]
}

# stream_waits NAME: from now on its report counts the ends that hear nothing.
stream_waits() {
	local round
	round=$(($(stream_count "$1" rounds) + 1))
	kill -s ALRM "$(cat "$WORK/$1.pid")"
	poll 10 stream_is_at "$1" rounds "$round" || tap_bail "streams $1 do not report"
}

stream_is_at() {
	[ "$(stream_count "$1" "$2")" = "$3" ]
}

# stream_goes_on NAME: since then, every end of every stream has heard something.
stream_goes_on() {
	stream_is_at "$1" waiting 0
}

# stream_end NAME: says and hears out what is under way; fails when a stream did not live to the end.
stream_end() {
	kill "$(cat "$WORK/$1.pid")" 2>/dev/null
	wait "$(cat "$WORK/$1.pid")"
}

# ---- several sets at once, for tests ----

OPEN=() # names of the sets

# open NAME CLIENT [OPTION...]
open() {
	stream_begin "$@"
	OPEN+=("$1")
}

# open_all CLIENT: interactive streams and bursts, few and many, and some that are silent.
open_all() {
	open talk "$1"
	open burst "$1" --kind burst --pause 0.2
	open many "$1" --count 200 --pause 0.2
	open udp "$1" --udp --count 20 --pause 0.02
	open client-first "$1" --kind ask
	open server-first "$1" --kind ask
	open udp-client-first "$1" --kind ask --udp
	open udp-server-first "$1" --kind ask --udp
}

is_silent() {
	[[ $1 == *-first ]]
}

# first_of NAME: prints who speaks first in a silent set: client or server.
first_of() {
	local name=${1%-first}
	echo "${name##*-}"
}

# watch_gaps: the gaps that go_on prints begin now.
watch_gaps() {
	local name
	for name in "${OPEN[@]}"; do
		kill -s HUP "$(cat "$WORK/$name.pid")"
	done
}

# go_on WHEN: those that speak are heard again, and those that are silent when they are made to speak.
go_on() {
	local name n gaps=
	for name in "${OPEN[@]}"; do
		is_silent "$name" || stream_waits "$name"
	done
	for name in "${OPEN[@]}"; do
		if is_silent "$name"; then
			n=$(($(stream_count "$name" said) + 1))
			[[ $name == udp-* ]] || n=$((n + 63))
			stream_say "$name" "$(first_of "$name")"
			ok "$name is heard $1" poll 60 stream_asked "$name" "$n"
		else
			ok "$name goes on $1" poll 60 stream_goes_on "$name"
		fi
		gaps="$gaps $name $(stream_count "$name" gap-ms)"
	done
	echo "# longest silence in ms, $1:$gaps"
}

# end_all: each set ends with all its streams alive.
end_all() {
	local name
	for name in "${OPEN[@]}"; do
		if stream_end "$name"; then
			tap_pass "$name: every stream lives, every byte arrived"
		else
			tap_fail "$name: every stream lives, every byte arrived" "$(cat "$WORK/$name.error")"
		fi
		echo "# $name: $(cat "$WORK/$name")"
	done
	OPEN=()
}

# sessions UNIT [WORD]: serials of the sessions of streams that the unit has, in order; with WORD, of
# those with it in their state.
sessions() {
	lab exec "$1" "diagnose sys session filter clear
diagnose sys session filter policy 20
diagnose sys session list" | awk -v word="${2:-}" '
		/^state=/ { take = word == "" || index($0 " ", " " word " ") }
		/^serial=/ && take { print $1 }' | sort
}

# all_on UNIT WORD: all sessions of streams have this word in their state on the unit, and there are some.
all_on() {
	[ -n "$(sessions "$1" "$2")" ] && [ "$(sessions "$1" "$2")" = "$(sessions "$1")" ]
}

none_on() {
	[ -n "$(sessions "$1")" ] && [ -z "$(sessions "$1" "$2")" ]
}

same_sessions() {
	sessions a >"$WORK/sessions-a"
	sessions b >"$WORK/sessions-b"
	diff "$WORK/sessions-a" "$WORK/sessions-b"
}
