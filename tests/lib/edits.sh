# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A policy for one flow, and edits of policies around it that the flow is to survive: policies come
# and go before and behind its own, change address, order, service and log; one that accepts
# everything takes the flow's session over and gives it back. At no time is the flow forbidden.
# FLOW_IN and FLOW_OUT are the interfaces, FLOW_FROM and FLOW_TO the addresses of its ends.

FLOW_POLICY=20000
FRONT=20001    # stands before the flow's policy, when it is enabled
BEHIND=20002   # comes behind it

# edits_setup: a script that makes the policies.
edits_setup() {
	cat <<-END
		config firewall address
		    edit "flow-from"
		        set subnet $FLOW_FROM/32
		    next
		    edit "flow-to"
		        set subnet $FLOW_TO/32
		    next
		    edit "other"
		        set subnet 10.0.0.0/16
		    next
		end
		config firewall policy
		    edit $FRONT
		        set status disable
	END
	edits_policy other all deny
	echo "    edit $FLOW_POLICY"
	edits_policy flow-from flow-to accept
	echo end
}

# edits_policy SOURCE DESTINATION ACTION
edits_policy() {
	cat <<-END
		        set srcintf "$FLOW_IN"
		        set dstintf "$FLOW_OUT"
		        set srcaddr "$1"
		        set dstaddr "$2"
		        set service "ALL"
		        set schedule "always"
		        set action $3
		    next
	END
}

# edits N: a script of N blocks, each a transaction that changes rules; after ten of them the
# policies are what they were.
edits() {
	local i
	for ((i = 0; i < $1; i++)); do
		edit "$i"
	done
}

edit() {
	local policies="config firewall policy"
	case $(($1 % 10)) in
	0) printf '%s\n' "$policies" "edit $FRONT" "set status enable" end ;;
	1) printf '%s\n' "config firewall address" "edit other" "set subnet 10.$(($1 % 250 + 1)).0.0/16" end ;;
	2) printf '%s\n' "$policies" "edit $FRONT" "set srcaddr all" "set action accept" end ;;
	3) printf '%s\n' "$policies" "edit $FLOW_POLICY" "set logtraffic all" end ;;
	4)
		printf '%s\n' "$policies" "edit $BEHIND"
		edits_policy other all accept
		echo end
		;;
	5)
		# The order of the two changes: the flow's policy is the last one now.
		printf '%s\n' "$policies" "delete $FLOW_POLICY" "edit $FLOW_POLICY"
		edits_policy flow-from flow-to accept
		echo end
		;;
	6) printf '%s\n' "$policies" "edit $FRONT" "set srcaddr other" "set action deny" \
		"set logtraffic all" end ;;
	7) printf '%s\n' "$policies" "edit $FLOW_POLICY" "append srcaddr other" "set service ALL_UDP" end ;;
	8) printf '%s\n' "$policies" "delete $BEHIND" "edit $FRONT" "set logtraffic utm" next \
		"edit $FLOW_POLICY" "set srcaddr flow-from" "set service ALL" end ;;
	9) printf '%s\n' "$policies" "edit $FRONT" "set status disable" end ;;
	esac
}
