# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Units that share their configuration (system auto-scale), whether they are those of the lab (net.sh)
# or of a group (group.sh), which has to be read before. Needs $WORK.

CONFDB=$TOP/tests/lib/confdb
SCALE_S=${SCALE_S:-30}              # until what must come is given up
POLICY="set srcintf port1, set dstintf port2, set srcaddr all, set dstaddr all, set service ALL,
	set schedule always, set action accept"

# typed UNIT LINES: types what stands between commas or newlines, as one transaction.
typed() {
	printf '%s\n' "$2" | tr ',' '\n' | unit_shell "$1" --atomic -f -
}

# scale UNIT LINES: lines below config system auto-scale.
scale() {
	typed "$1" "config system auto-scale, $2, end"
}

# ---- what a unit has ----

state_dir() {
	echo "$(unit_dir "$1")/state"
}

# standing UNIT: epoch, serial of the primary, revision of that one, own revision, own serial.
standing() {
	"$CONFDB" standing "$(state_dir "$1")"
}

# part N WORD...: the Nth word.
part() {
	echo "${@:$1+1:1}"
}

epoch() {
	# shellcheck disable=SC2046 # words
	part 1 $(standing "$1")
}

revision() {
	# shellcheck disable=SC2046
	part 4 $(standing "$1")
}

serial() {
	# shellcheck disable=SC2046
	part 5 $(standing "$1")
}

# shared UNIT: what its `show` prints, without what is the unit's own; an entry or attribute a line,
# in the order that means something.
shared() {
	unit_shell "$1" -c show | awk '
		/^config / { table = $2 " " $3; n = 0; next }
		/^end/ { next }
		/^ *config cluster-peer/ { skip = 1 }
		!skip && !(table == "system global" && $2 ~ /^(hostname|private-data-encryption)$/) &&
			!(table == "system interface" && $1 == "set" && $2 == "ip") &&
			!(table == "system ha" && $2 == "priority") &&
			!(table == "system auto-scale" && $2 ~ /^(status|role|primary-ip|sync-interface)$/) {
			sub(/ENC .*/, "ENC")
			if (/^    edit /)
				entry = table == "firewall policy" ? sprintf("%6d ", ++n) : ""
			entry = entry $0
			if (!/^    edit / && (!/^     / || /^    next/)) {
				print table, entry
				entry = ""
			}
		}
		/^ *end/ { skip = 0 }' | LC_ALL=C sort
}

# rules UNIT: what its kernel has, without what is the unit's own.
rules() {
	on "$1" nft -j list table inet gatehouse | "$TOP/tests/lib/ruleset" --shared
}

# ---- what several have ----

# in_step PRIMARY UNIT...: each of the others is at the last revision of the primary.
in_step() {
	local unit epoch own serial is_epoch is_primary is_at rest
	read -r epoch rest rest own serial < <(standing "$1")
	shift
	for unit; do
		read -r is_epoch is_primary is_at rest < <(standing "$unit")
		[ "$is_epoch $is_primary $is_at" = "$epoch $serial $own" ] || return
	done
}

# checksum UNIT: the one over all that is shared, in force.
checksum() {
	unit_shell "$1" -c "diagnose sys ha checksum show" | sed -n '/^checksum/,$ s/^all: //p'
}

# same UNIT...: all have the same configuration, rules and checksum; says what differs, in part.
same() {
	local unit what
	for unit; do
		for what in shared rules checksum; do
			"$what" "$unit" >"$WORK/$what-$unit" || return
			cmp -s "$WORK/$what-$1" "$WORK/$what-$unit" && continue
			diff "$WORK/$what-$1" "$WORK/$what-$unit" | head -n 10
			return 1
		done
	done
}

agree_now() {
	same "$@" >"$WORK/differs" 2>&1
}

# arrives NAME PRIMARY UNIT...: soon all of them are in step, and then have the same.
arrives() {
	local name=$1
	shift
	if ! poll "$SCALE_S" in_step "$@"; then
		tap_fail "$name" "not in step:" "$(for unit; do echo "$unit $(standing "$unit")"; done)" \
			"$(tail -n 4 "$LAB_DIR"/*/sync.log)"
		return
	fi
	if poll "$SCALE_S" agree_now "$@"; then
		tap_pass "$name"
	else
		tap_fail "$name" "$(cat "$WORK/differs")"
	fi
}

# shows UNIT TEXT: its `show` has this text.
shows() {
	unit_shell "$1" -c show | grep -qF -- "$2"
}

# sync_says UNIT TEXT: its gatehouse-syncd has said so since the start, or since sync_mark.
sync_says() {
	tail -n +"$(cat "$WORK/mark-$1" 2>/dev/null || echo 1)" "$(unit_dir "$1")/sync.log" |
		grep -qF -- "$2"
}

# sync_mark UNIT: what was said before does not count any more.
sync_mark() {
	echo $(($(wc -l <"$(unit_dir "$1")/sync.log") + 1)) >"$WORK/mark-$1"
}
