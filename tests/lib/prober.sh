# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the balancers do in a cloud: they ask the units whether they are alive, each balancer from
# the address of probes, each unit on its own side. A unit that misses PROBE_MISSES rounds in a row is
# taken out, as both balancers do at once: its clients are served by the other one, if that answers.
# Needs util.sh and topology.sh.

PROBE_MISSES=3 # and as many answers until a unit serves again
PROBE_EVERY_S=1

# probe UNIT: it answers both balancers.
probe() {
	probe_from elb "${PORT1_IP[$1]}" && probe_from ilb "${PORT2_IP[$1]}"
}

probe_from() {
	on "$1" ping -n -q -c 1 -W 1 -I "$PROBE_IP" "$2" >/dev/null 2>&1
}

# probe_units: for ever; says what it does.
probe_units() {
	local unit answers
	local -A serves=([a]=yes [b]=yes) count=([a]=0 [b]=0)
	while sleep "$PROBE_EVERY_S"; do
		for unit in a b; do
			answers=yes
			probe "$unit" || answers=no
			count[$unit]=$((count[$unit] + 1))
			[ "$answers" != "${serves[$unit]}" ] || count[$unit]=0
			[ "${count[$unit]}" -ge "$PROBE_MISSES" ] || continue
			count[$unit]=0
			serves[$unit]=$answers
			echo "unit $unit answers: $answers"
			probe_steer "${serves[a]}" "${serves[b]}" || return
		done
	done
}

# probe_steer A B: each client goes to its home unit if that serves, else to the other; while neither
# does, everything stays.
probe_steer() {
	local client unit
	local -A serves=([a]=$1 [b]=$2)
	for client in "${!HOME_UNIT[@]}"; do
		for unit in "${HOME_UNIT[$client]}" "$(other_unit "${HOME_UNIT[$client]}")"; do
			[ "${serves[$unit]}" = yes ] || continue
			steer "$client" "$unit" || return
			break
		done
	done
}
