# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The network of the lab: namespaces, links, addresses, routes. Nothing here knows Gatehouse.
#
#   client1 207.102.138.19 ---.                   .-- port1 .4  A  port2 .69 --.
#   (internet 203.0.113.80)   elb 172.16.136.1 ==<                              >== 172.16.136.65 ilb --- server
#   client2 13.83.82.124 -----'                   '-- port1 .5  B  port2 .70 --'     172.16.137.1    172.16.137.15
#                             front 172.16.136.0/26          back 172.16.136.64/26
#
# port3 and port4 of the units lead to hub, two switches named sync3 and sync4 that nobody else uses:
# links for what members tell each other, without addresses.
#
# The balancers are plain routers that choose a unit for each client. What a client sends to the
# floating address arrives at the unit unchanged (no translation: as with direct server return), and
# what the server sends to that client goes back through the same unit. Traffic that a unit sends
# out under its own address leaves elb under elb's public address. The host on the internet that the
# server talks to is a second address of client1. Both balancers hold 168.63.129.16, the source of
# a cloud's health probes.
#
# A unit starts bare: four links that are up, with fixed MAC addresses. The addresses in the picture
# come from its configuration.

LAB=${LAB:-gh}
HOSTS="client1 client2 elb a b ilb server hub"

FLOATING_IP=20.150.252.91
ELB_PUBLIC_IP=198.51.100.1
INTERNET_IP=203.0.113.80
PROBE_IP=168.63.129.16
SERVER_IP=172.16.137.15

declare -A CLIENT_IP=([client1]=207.102.138.19 [client2]=13.83.82.124)
declare -A PORT1_IP=([a]=172.16.136.4 [b]=172.16.136.5)
declare -A PORT2_IP=([a]=172.16.136.69 [b]=172.16.136.70)

# Unit that serves a client while both units are well; `others` is everyone else on the internet.
declare -A HOME_UNIT=([client1]=a [client2]=b [others]=a)

# On both balancers: one routing table per unit, one rule per client that names the table.
declare -A UNIT_TABLE=([a]=101 [b]=102)
declare -A CLIENT_PREF=([client1]=1001 [client2]=1002 [others]=40000)

# ns HOST: name of the host's namespace.
ns() {
	echo "$LAB-$1"
}

# on HOST COMMAND...: runs a command there.
on() {
	local host=$1
	shift
	ip netns exec "$(ns "$host")" "$@"
}

host_exists() {
	[ -e "/run/netns/$(ns "$1")" ]
}

# host_add HOST [SYSCTL...]: makes the namespace; sysctls (those this kernel has) are set before any
# link exists.
host_add() {
	local host=$1
	shift
	ip netns add "$(ns "$host")" || return
	[ $# -eq 0 ] || on "$host" sysctl -eqw "$@" || return
	ip -n "$(ns "$host")" link set lo up
}

# host_delete HOST: ends what runs there (politely first), then removes the namespace.
host_delete() {
	host_exists "$1" || return 0
	host_signal "$1" TERM
	poll 5 host_idle "$1" || host_signal "$1" KILL
	poll 5 host_idle "$1" || echo "lab: processes stay in $(ns "$1")" >&2
	ip netns delete "$(ns "$1")"
}

host_signal() {
	local pids
	pids=$(ip netns pids "$(ns "$1")")
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill -s "$2" $pids 2>/dev/null || true
}

host_idle() {
	[ -z "$(ip netns pids "$(ns "$1")")" ]
}

# link HOST PORT PEER PEERPORT [MAC]: a cable between two hosts, up at both ends.
link() {
	ip link add name "$2" ${5:+address "$5"} netns "$(ns "$1")" type veth \
		peer name "$4" netns "$(ns "$3")" || return
	ip -n "$(ns "$1")" link set "$2" up && ip -n "$(ns "$3")" link set "$4" up
}

# switch_add HOST NAME MAC: a switch inside a balancer. The MAC address is fixed, because that of a
# bridge changes with its ports and the units would go on using the old one.
switch_add() {
	ip -n "$(ns "$1")" link add name "$2" address "$3" type bridge && ip -n "$(ns "$1")" link set "$2" up
}

ROUTER_SYSCTLS="net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	net.ipv6.conf.default.disable_ipv6=1 net.bridge.bridge-nf-call-iptables=0"
HOST_SYSCTLS="net.ipv6.conf.default.disable_ipv6=1"

elb_add() {
	local elb
	elb=$(ns elb)
	# shellcheck disable=SC2086
	host_add elb $ROUTER_SYSCTLS &&
		switch_add elb front 02:00:00:00:01:01 &&
		ip -n "$elb" address add 172.16.136.1/26 dev front &&
		ip -n "$elb" address add "$ELB_PUBLIC_IP/32" dev lo &&
		ip -n "$elb" address add "$PROBE_IP/32" dev lo || return
	local unit
	for unit in a b; do
		ip -n "$elb" route add "$FLOATING_IP" via "${PORT1_IP[$unit]}" table "${UNIT_TABLE[$unit]}" &&
			ip -n "$elb" route add 172.16.137.0/24 via "${PORT1_IP[$unit]}" \
				table "${UNIT_TABLE[$unit]}" || return
	done
	on elb nft -f - <<-END
		table ip outbound {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "to-client*" ip saddr 172.16.136.0/22 snat to $ELB_PUBLIC_IP
			}
		}
	END
}

ilb_add() {
	local ilb unit
	ilb=$(ns ilb)
	# shellcheck disable=SC2086
	host_add ilb $ROUTER_SYSCTLS &&
		switch_add ilb back 02:00:00:00:02:01 &&
		ip -n "$ilb" address add 172.16.136.65/26 dev back &&
		ip -n "$ilb" address add "$PROBE_IP/32" dev lo || return
	for unit in a b; do
		ip -n "$ilb" route add default via "${PORT2_IP[$unit]}" table "${UNIT_TABLE[$unit]}" || return
	done
}

# client_add NAME: a host on the internet; elb's public address is its next hop.
client_add() {
	local client addr=${CLIENT_IP[$1]}
	client=$(ns "$1")
	# shellcheck disable=SC2086
	host_add "$1" $HOST_SYSCTLS &&
		link "$1" eth0 elb "to-$1" &&
		ip -n "$client" address add "$addr/32" dev eth0 &&
		ip -n "$client" route add "$ELB_PUBLIC_IP" dev eth0 src "$addr" &&
		ip -n "$client" route add default via "$ELB_PUBLIC_IP" src "$addr" &&
		ip -n "$(ns elb)" route add "$addr" dev "to-$1" src "$ELB_PUBLIC_IP"
}

internet_add() {
	ip -n "$(ns client1)" address add "$INTERNET_IP/32" dev lo &&
		ip -n "$(ns elb)" route add "$INTERNET_IP" dev to-client1 src "$ELB_PUBLIC_IP"
}

server_add() {
	# shellcheck disable=SC2086
	host_add server $HOST_SYSCTLS &&
		link server eth0 ilb to-server &&
		ip -n "$(ns ilb)" address add 172.16.137.1/24 dev to-server &&
		ip -n "$(ns server)" address add "$SERVER_IP/24" dev eth0 &&
		ip -n "$(ns server)" route add default via 172.16.137.1
}

hub_add() {
	# shellcheck disable=SC2086
	host_add hub $HOST_SYSCTLS &&
		switch_add hub sync3 02:00:00:00:03:01 && switch_add hub sync4 02:00:00:00:04:01
}

# unit_plug UNIT: the machine of a unit as it is after power on: links, no addresses.
unit_plug() {
	host_add "$1" &&
		link "$1" port1 elb "to-$1" "02:00:00:00:01:0$1" &&
		link "$1" port2 ilb "to-$1" "02:00:00:00:02:0$1" &&
		ip -n "$(ns elb)" link set "to-$1" master front &&
		ip -n "$(ns ilb)" link set "to-$1" master back &&
		hub_plug "$1" port3 3 && hub_plug "$1" port4 4
}

# hub_plug HOST PORT N: a link of a host to switch syncN; MAC addresses are for hosts with names of
# one hexadecimal digit.
hub_plug() {
	link "$1" "$2" hub "$1-$3" "02:00:00:00:0$3:0$1" &&
		ip -n "$(ns hub)" link set "$1-$3" master "sync$3"
}

# unit_unplug UNIT: power loss: processes and links go at once. Processes go first: none of them sees
# one link go while it still has the other to tell of it. host_delete makes the kernel forget the rest.
unit_unplug() {
	host_signal "$1" KILL
	ip -n "$(ns elb)" link delete "to-$1" &&
		ip -n "$(ns ilb)" link delete "to-$1" &&
		ip -n "$(ns hub)" link delete "$1-3" && ip -n "$(ns hub)" link delete "$1-4"
}

# steer CLIENT UNIT [BACK]: both balancers send this client's traffic through the unit from now on;
# with BACK, ilb sends what goes to the client through that one. They turn at the same moment: a
# session whose packets come through two units stays where it was for some time.
steer() {
	local pref=${CLIENT_PREF[$1]} client=${CLIENT_IP[$1]:-all} there back turning
	there=${UNIT_TABLE[$2]}
	back=${UNIT_TABLE[${3:-$2}]}
	rule_prepare elb "$pref" "$there" from "$client" &&
		rule_prepare ilb "$pref" "$back" to "$client" || return
	rule_turn elb "$pref" "$there" &
	turning=$!
	rule_turn ilb "$pref" "$back"
	wait "$turning"
}

# steer_apart: requests go through unit A, replies through unit B.
steer_apart() {
	local client
	for client in "${!HOME_UNIT[@]}"; do
		steer "$client" a b || return
	done
}

# rule_move BALANCER PREF TABLE SELECTOR...: adds the new rule before it takes the old one away, so
# that no packet falls between the two.
rule_move() {
	rule_prepare "$@" && rule_turn "$1" "$2" "$3"
}

# rule_prepare BALANCER PREF TABLE SELECTOR...: the rule, behind one that may be there.
rule_prepare() {
	[ "$(rule_table "$1" "$2")" = "$3" ] ||
		ip -n "$(ns "$1")" rule add pref "$2" "${@:4}" lookup "$3"
}

# rule_turn BALANCER PREF TABLE: takes away what stands before it.
rule_turn() {
	local table
	for table in "${UNIT_TABLE[@]}"; do
		[ "$table" = "$3" ] ||
			ip -n "$(ns "$1")" rule delete pref "$2" lookup "$table" 2>/dev/null || true
	done
}

# rule_table BALANCER PREF: prints the table that the rule with this preference names.
rule_table() {
	ip -n "$(ns "$1")" rule show pref "$2" | awk '{ print $NF }'
}

# other_unit UNIT: prints its peer.
other_unit() {
	[ "$1" = a ] && echo b || echo a
}

# serving_unit CLIENT: prints the unit that serves the client.
serving_unit() {
	local unit
	for unit in a b; do
		[ "$(rule_table elb "${CLIENT_PREF[$1]}")" != "${UNIT_TABLE[$unit]}" ] || echo "$unit"
	done
}

# network_up: everything of the picture, each client at its home unit.
network_up() {
	elb_add && ilb_add && hub_add && client_add client1 && client_add client2 && internet_add && server_add &&
		unit_plug a && unit_plug b && steer_home
}

steer_home() {
	local client
	for client in "${!HOME_UNIT[@]}"; do
		steer "$client" "${HOME_UNIT[$client]}" || return
	done
}

# network_down: removes what exists of it.
network_down() {
	local host
	for host in $HOSTS; do
		host_delete "$host"
	done
}
