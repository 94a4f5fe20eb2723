# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source-path=SCRIPTDIR
# shellcheck shell=bash
#
# What a traffic test starts with: `net_begin golden` (or `apart`: each unit has a configuration of its
# own; `alone`: they do not share sessions either; `factory`: units as they are on their first start)
# gives it a lab of its own, whose end is taken care of; `net_end` closes the test.

export LAB="net$$"
. "$(dirname "${BASH_SOURCE[0]}")/util.sh"
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"
. "$(dirname "${BASH_SOURCE[0]}")/unit.sh"
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

LAB_PROGRAM=$TOP/tests/lab/lab
TRAFFIC=$TOP/tests/lib/traffic
WORK=

lab() {
	"$LAB_PROGRAM" "$@"
}

net_begin() {
	local options=()
	[ "$1" = golden ] || options=("--$1")
	WORK=$(mktemp -d) || tap_bail "no temporary directory"
	trap net_cleanup EXIT
	trap 'exit 143' INT TERM
	lab up "${options[@]}" >"$WORK/up" 2>&1 || {
		sed 's/^/# /' "$WORK/up"
		tap_bail "lab up failed"
	}
}

net_cleanup() {
	lab down 2>&1 | sed 's/^/# /'
	rm -rf "$WORK"
}

# net_end: the last test is that the units end without a report of a sanitizer.
net_end() {
	ok "the units end without faults" lab down
	tap_done
}

# commit UNIT LINE...: types the lines on the unit; fails as `lab exec` does.
commit() {
	local unit=$1
	shift
	lab exec "$unit" "$(printf '%s\n' "$@")"
}

# reach HOST ADDRESS PORT [OPTION...]: prints what the other end says: its port and the address it
# sees; or "refused", or "timed out".
reach() {
	lab run "$1" "$TRAFFIC" get --timeout 20 "${@:2}" 2>&1
}

# knock HOST ADDRESS PORT [OPTION...]: the same, soon given up: for what gets no answer.
knock() {
	reach "$@" --timeout 1
}

# hits UNIT POLICY: connections that the policy judged so far.
hits() {
	lab exec "$1" "diagnose firewall iprope show 100004 $2" | sed -n '1s/.*hit count:\([0-9]*\).*/\1/p'
}

# bytes UNIT POLICY: bytes that the policy let pass, or refused, so far.
bytes() {
	lab exec "$1" "diagnose firewall iprope show 100004 $2" |
		sed -n '1s,.*pkts/bytes=[0-9]*/\([0-9]*\).*,\1,p'
}

# revisions UNIT: how many its database has.
revisions() {
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM rev").fetchone()[0])' \
		"$(unit_dir "$1")/state/config.db"
}

# fill N: so many sessions on unit A, through the virtual IP, of policy 2.
fill() {
	awk -v n="$1" -v vip="$FLOATING_IP" -v server="$SERVER_IP" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "-I -p tcp -s 10.%d.%d.%d -d %s --sport %d --dport 65022 --state ESTABLISHED " \
				"-t 3600 -u SEEN_REPLY,ASSURED -m 2 --dst-nat %s:22\n",
				int(i / 65536), int(i / 256) % 256, i % 256, vip, 1024 + i % 60000, server
	}' >"$WORK/sessions"
	lab run a conntrack -R "$WORK/sessions" >"$WORK/said" 2>&1
}

# room_for N: prints N, or half of the sessions that the kernel of this machine takes if those are few.
room_for() {
	local max
	max=$(cat /proc/sys/net/netfilter/nf_conntrack_max)
	if [ "$max" -ge $(($1 + 10000)) ]; then
		echo "$1"
	else
		echo "# nf_conntrack_max of this machine is $max: $((max / 2)) sessions" >&2
		echo $((max / 2))
	fi
}

# listen HOST PORT...: one more listener on a host, up to the end of the test.
listen() {
	local host=$1
	shift
	"$LAB_PROGRAM" run "$host" "$TRAFFIC" serve "$@" >"$WORK/listen-$host" 2>&1 &
	poll 10 listening "$host" "$1" || tap_bail "no listener on $host"
}

listening() {
	[ -n "$(lab run "$1" ss -Hltn "sport = $2")" ]
}

listening_udp() {
	[ -n "$(lab run "$1" ss -Hlun "sport = $2")" ]
}

# flow_begin NAME HOST ADDRESS PORT [OPTION...]: a steady flow that goes on until flow_end NAME.
flow_begin() {
	local name=$1 host=$2
	shift 2
	rm -f "$WORK/$name"
	"$LAB_PROGRAM" run "$host" "$TRAFFIC" flow --timeout 20 --report "$WORK/$name" "$@" 2>"$WORK/$name.error" &
	echo $! >"$WORK/$name.pid"
	poll 10 flow_runs "$name" || tap_bail "flow $name does not start: $(cat "$WORK/$name.error")"
}

# flow_runs NAME: at least 20 answers have come.
flow_runs() {
	[ "$(flow_count "$1" answered)" -gt 20 ]
}

# flow_count NAME WHAT: a figure of its report: sent, seen, answered, lost, peer-lost.
flow_count() {
	local n
	n=$(sed -n "s/.*\\b$2=\\([0-9]*\\).*/\\1/p" "$WORK/$1" 2>/dev/null)
	echo "${n:-0}"
}

flow_advances() {
	[ "$(flow_count "$1" "$2")" -gt "$3" ]
}

# flow_goes_on NAME WHEN: a test that it gets further answers.
flow_goes_on() {
	ok "$1 goes on $2" poll 30 flow_advances "$1" answered $(($(flow_count "$1" answered) + 20))
}

# flow_is_over NAME WHEN: a test that what is sent is answered no more, once those on the way have come.
flow_is_over() {
	ok "$1 is over $2" poll 30 flow_asks_in_vain "$1"
}

# flow_asks_in_vain NAME: more is sent, or the same again and again, and nothing is answered meanwhile.
flow_asks_in_vain() {
	local answered
	answered=$(flow_count "$1" answered)
	poll 20 flow_has_asked "$1" $(($(flow_count "$1" sent) + 50)) &&
		[ "$(flow_count "$1" answered)" -eq "$answered" ]
}

# flow_has_asked NAME N: more than N were sent; or TCP has the same to send once more, several times.
flow_has_asked() {
	local pid
	pid=$(cat "$WORK/$1.pid")
	flow_advances "$1" sent "$2" ||
		nsenter --net="/proc/$pid/ns/net" ss -Htinp | grep -A 1 -F "pid=$pid," | grep -q 'backoff:[2-9]'
}

# flow_end NAME: stops it; its report then holds the final figures.
flow_end() {
	local pid
	pid=$(cat "$WORK/$1.pid")
	kill "$pid"
	wait "$pid"
}

# flow_drop NAME: ends one that hears nothing any more; it has no final figures.
flow_drop() {
	local pid
	pid=$(cat "$WORK/$1.pid")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
}

# is_lossless NAME FLOW: everything sent was seen at the other end and answered, nothing twice.
is_lossless() {
	local sent report
	report=$(cat "$WORK/$2")
	sent=$(flow_count "$2" sent)
	case $report in
	*lost=*) is "$1" "$report" "sent=$sent seen=$sent answered=$sent lost=0 peer-lost=0" ;;
	*) is "$1" "$report" "sent=$sent seen=$sent answered=$sent" ;;
	esac
}
