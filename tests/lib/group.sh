# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source-path=SCRIPTDIR
# shellcheck shell=bash
#
# A group of units for tests of replication: `group_begin 2` (or 3) makes units a, b (and c) whose
# ports 1 to 4 lead to the switches net1 to net4 of host hub. Port 1 has address 10.77.0.N and carries
# layer 3, port 2 has 10.78.0.N, ports 3 and 4 carry layer 2. Sessions are made over ctnetlink in the
# namespace of a unit. `group_begin N bare` leaves out of their configuration what makes them a group.
# `group_end` closes the test.

export LAB="gr$$"
. "$(dirname "${BASH_SOURCE[0]}")/util.sh"
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"
. "$(dirname "${BASH_SOURCE[0]}")/unit.sh"
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

ENTRIES=$(build_dir)/tests/lib/entries
GROUP_KEY=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
GROUP_S=60                          # until what must come is given up
declare -A NUMBER=([a]=1 [b]=2 [c]=3)
declare -A SERIAL=()
UNITS=()
WORK=

group_begin() {
	local all=(a b c) configure=unit_configure unit
	[ "${2:-}" != bare ] || configure=unit_configure_bare
	UNITS=("${all[@]:0:$1}")
	mkdir "$LAB_DIR" || tap_bail "$LAB_DIR exists"
	WORK=$LAB_DIR/work
	trap group_cleanup EXIT
	trap 'exit 143' INT TERM
	mkdir "$WORK" && hub_add || tap_bail "no network"
	for unit in "${UNITS[@]}"; do
		unit_plug_hub "$unit" && unit_make "$unit" && unit_start "$unit" &&
			"$configure" "$unit" >"$WORK/configure" 2>&1 || {
			sed 's/^/# /' "$WORK/configure"
			tap_bail "unit $unit does not start"
		}
		SERIAL[$unit]=$(type_on "$unit" "get system status" | sed -n 's/^Serial-Number: *//p')
	done
}

group_cleanup() {
	local host
	for host in "${UNITS[@]}" hub; do
		host_delete "$host" 2>&1 | sed 's/^/# /'
	done
	rm -rf "$LAB_DIR"
}

# group_faults: what sanitizers reported in any unit; fails when there is something.
group_faults() {
	local unit faults=0
	for unit in "${UNITS[@]}"; do
		host_delete "$unit"
		! unit_faults "$unit" || faults=1
	done
	return "$faults"
}

group_end() {
	ok "the units end without faults" group_faults
	tap_done
}

# shellcheck disable=SC2086
hub_add() {
	local n
	host_add hub $HOST_SYSCTLS || return
	for n in 1 2 3 4; do
		switch_add hub "net$n" "02:00:00:00:0$n:ff" || return
	done
}

unit_plug_hub() {
	local n
	host_add "$1" || return
	for n in 1 2 3 4; do
		link "$1" "port$n" hub "$1-$n" "02:00:00:00:0$n:0$1" && plug "$1" "$n" || return
	done
}

# plug and pull UNIT N: whether its port N is a port of switch N. The unit sees no change of its link.
plug() {
	ip -n "$(ns hub)" link set "$1-$2" master "net$2"
}

pull() {
	ip -n "$(ns hub)" link set "$1-$2" nomaster
}

# peers UNIT: the other units.
peers() {
	local unit
	for unit in "${UNITS[@]}"; do
		[ "$unit" = "$1" ] || echo "$unit"
	done
}

# addresses UNIT: a script for its interfaces.
addresses() {
	cat <<-END
		config system global
		set hostname "unit-$1"
		end
		config system interface
		edit "port1"
		set ip 10.77.0.${NUMBER[$1]} 255.255.255.0
		next
		edit "port2"
		set ip 10.78.0.${NUMBER[$1]} 255.255.255.0
		next
		edit "port3"
		next
		edit "port4"
		next
		end
	END
}

unit_configure_bare() {
	addresses "$1" | unit_shell "$1" -f -
}

unit_configure() {
	local peer
	{
		addresses "$1"
		cat <<-END
			config router static
			edit 1
			set gateway 10.77.0.254
			set device "port1"
			next
			edit 2
			set dst 172.16.137.0 255.255.255.0
			set gateway 10.78.0.254
			set device "port2"
			next
			end
			config system ha
			set session-pickup enable
			set session-pickup-connectionless enable
			set session-pickup-expectation enable
			set session-pickup-nat enable
			end
			config system standalone-cluster
			set psksecret 0x$GROUP_KEY
			set encryption enable
			config cluster-peer
		END
		for peer in $(peers "$1"); do
			cat <<-END
				edit ${NUMBER[$peer]}
				set peerip 10.77.0.${NUMBER[$peer]}
				set hb-interval 1
				set hb-lost-threshold 10
				next
			END
		done
		printf 'end\nend\n'
	} | unit_shell "$1" -f -
}

# type_on UNIT LINE...: types the lines on the unit.
type_on() {
	unit_shell "$1" -c "$(printf '%s\n' "${@:2}")"
}

# cluster UNIT LINE...: lines below config system standalone-cluster.
cluster() {
	type_on "$1" "config system standalone-cluster" "${@:2}" end
}

# start_sync and kill_sync UNIT...: gatehouse-syncd alone.
start_sync() {
	local unit
	for unit; do
		unit_sync_start "$unit" || return
	done
}

kill_sync() {
	local unit
	for unit; do
		unit_sync_signal "$unit" KILL
		poll "$GROUP_S" sync_is_gone "$unit" || return
	done
}

sync_is_gone() {
	! unit_sync_signal "$1" 0 2>/dev/null
}

# ---- what the units say ----

# peer_line UNIT PEER KEY: the rest of a line of PEER's part in the list of peers of UNIT.
peer_line() {
	type_on "$1" "diagnose sys ha standalone-peers" 2>/dev/null | awk -v ip="10.77.0.${NUMBER[$2]}" \
		-v key="$3" '/^peer/ { on = $2 == ip; if (on && key == "state") { sub(/.*: /, ""); print } }
		on && index($0, "\t" key ": ") == 1 { print substr($0, length(key) + 4) }'
}

state_is() {
	[ "$(peer_line "$1" "$2" state)" = "$3" ]
}

# link_is UNIT PEER LINK: the links in use.
link_is() {
	[[ "$(peer_line "$1" "$2" link)" == "$3,"* ]]
}

# in_sync: every unit that is named (all) has all others in sync.
in_sync() {
	local unit peer units=("$@")
	[ $# -gt 0 ] || units=("${UNITS[@]}")
	for unit in "${units[@]}"; do
		for peer in "${units[@]}"; do
			[ "$unit" = "$peer" ] || state_is "$unit" "$peer" "in-sync" || return
		done
	done
}

# metric UNIT NAME: a metric of gatehouse-syncd, without its prefix; the sum of all its samples.
metric() {
	type_on "$1" "get metrics" 2>/dev/null |
		awk -v name="gatehouse_sync_$2" 'index($0, name " ") == 1 || index($0, name "{") == 1 {
			n += $NF; found = 1 } END { if (found) print n }'
}

metric_above() {
	local n
	n=$(metric "$1" "$2")
	[ -n "$n" ] && [ "$n" -gt "$3" ]
}

# packets UNIT ses|udp send|recv: a figure of `diagnose sys session sync`.
packets() {
	type_on "$1" "diagnose sys session sync" | sed -n "s/^$2 pkts:.*\\b$3=\\([0-9]*\\).*/\\1/p"
}

# packets_above UNIT KIND FIGURE N: more packets than N.
packets_above() {
	local n
	n=$(packets "$1" "$2" "$3")
	[ -n "$n" ] && [ "$n" -gt "$4" ]
}

# ---- the tables ----

# sessions make|delete|see|expire UNIT FIRST N, sessions change UNIT FIRST N STATE: by the thousand.
sessions() {
	on "$2" "$ENTRIES" "$1" "${@:3}"
}

# list UNIT: its sessions, sorted.
list() {
	on "$1" "$ENTRIES" list "${SERIAL[$1]}" | LC_ALL=C sort
}

# agree [UNIT...]: they (or all) have the same sessions, and of each the same one as its owner.
# Sessions of the units themselves, which are not told, are left out.
agree() {
	local unit units=("$@")
	[ $# -gt 0 ] || units=("${UNITS[@]}")
	for unit in "${units[@]}"; do
		list "$unit" | grep -v '10\.7[78]\.0\.' >"$WORK/table-$unit"
	done
	for unit in "${units[@]:1}"; do
		cmp -s "$WORK/table-${units[0]}" "$WORK/table-$unit" || return
	done
}

# agree_on N [UNIT...]: they agree, and have N sessions.
agree_on() {
	local n=$1 units=("${@:2}")
	[ $# -gt 1 ] || units=("${UNITS[@]}")
	agree "${units[@]}" && [ "$(wc -l <"$WORK/table-${units[0]}")" -eq "$n" ]
}

# ok_agree NAME N [UNIT...]: soon they do; shows what differs when not.
ok_agree() {
	if poll "$GROUP_S" agree_on "${@:2}"; then
		tap_pass "$1"
	else
		tap_fail "$1" "$(wc -l "$WORK"/table-*)" "$(diff "$WORK"/table-[ab] | head -n 8)" \
			"$(tail -n 3 "$LAB_DIR"/*/sync.log)"
	fi
}

# owned UNIT BY: how many of the sessions that are told, in UNIT's table, BY owns.
owned() {
	list "$1" | grep -v '10\.7[78]\.0\.' | awk -F '\t' -v id="$(unit_id "$2")" '$2 == id' | wc -l
}

# unit_id UNIT: its 16-bit id, as its peers say.
unit_id() {
	local other
	other=$(peers "$1" | head -n 1)
	peer_line "$other" "$1" serial | sed -n 's/.*unit id //p'
}
