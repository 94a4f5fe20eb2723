# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# An SSH server of a unit as it is installed, of which this machine sees nothing: it runs in the unit's
# network and in a private mount namespace, where the modules of the login, the shell, users and
# configuration files are put in their places. Needs net.sh.

SSHD=${GATEHOUSE_SSHD:-/usr/sbin/sshd}

# sshd_prepare UNIT: keys, configuration and users for it in $WORK/UNIT.
sshd_prepare() {
	local dir=$WORK/$1 build
	build=$(build_dir)
	mkdir -p "$dir/pam.d" "$dir/lib" && chmod 755 "$WORK" "$dir" || return
	ssh-keygen -q -t ed25519 -N '' -f "$dir/ssh_host_ed25519_key" || return
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$dir/ssh_host_rsa_key" || return
	sed -e "s|@sshstatedir@|$dir|; s|@libexecdir@|/opt|" \
		-e 's/^\(AuthorizedKeysCommandUser\) .*/\1 nobody/' \
		"$TOP/cli/login/sshd_config.in" >"$dir/sshd_config"
	sed "s|pam_gatehouse.so|$build/pam_gatehouse.so|" "$TOP/cli/login/gatehouse-sshd.pam" \
		>"$dir/pam.d/gatehouse-sshd"
	sed 's/^passwd:.*/passwd: files gatehouse/' /etc/nsswitch.conf >"$dir/nsswitch.conf"
	{
		grep -v -e '^sshd:' -e '^rescue:' /etc/passwd
		echo "sshd:x:64001:65534::/run/sshd:/usr/sbin/nologin"
		echo "rescue:x:64002:$(id -g "$(daemon_user)"):a local account:/:/bin/sh"
	} >"$dir/passwd"
	{
		grep -v -e '^sshd:' -e '^rescue:' /etc/shadow
		echo 'sshd:*:19000:0:99999:7:::'
		echo "rescue:$(openssl passwd -6 local-secret):19000:0:99999:7:::"
	} >"$dir/shadow"
	chmod 640 "$dir/shadow"
	sshd_script "$dir" "$build" "$(unit_dir "$1")/run" >"$dir/start"
}

# sshd_script DIR BUILD RUN: prints what is done inside the namespaces.
sshd_script() {
	cat <<-END
		set -e
		for place in /run /opt /var/log /usr/local/bin; do
			mount -t tmpfs -o mode=755 tmpfs \$place
		done
		mkdir /run/sshd /run/gatehouse /opt/gatehouse
		mount --bind '$3' /run/gatehouse
		cp '$2/gatehouse' /usr/local/bin
		cp '$2/gatehouse-keys' '$2/gatehouse-listener' /opt/gatehouse
		ln -s '$SSHD' /opt/gatehouse/gatehouse-sshd
		for file in passwd shadow nsswitch.conf pam.d; do
			mount --bind '$1'/\$file /etc/\$file
		done
		export LD_LIBRARY_PATH='$2'
		exec "\$@"
	END
}

# sshd_inside UNIT COMMAND...: runs a command where the server runs.
sshd_inside() {
	on "$1" unshare -m --propagation private bash "$WORK/$1/start" "${@:2}"
}

# sshd_start UNIT: starts the server and waits until it listens.
sshd_start() {
	local unit=$1
	# no function: the process that is remembered has to become the server
	ip netns exec "$(ns "$unit")" unshare -m --propagation private bash "$WORK/$unit/start" \
		/opt/gatehouse/gatehouse-listener --sshd /opt/gatehouse/gatehouse-sshd \
		--config "$WORK/$unit/sshd_config" --banner "$TOP/cli/login/banner" \
		</dev/null >>"$WORK/$unit/sshd.log" 2>&1 &
	echo $! >"$WORK/$unit/sshd.pid"
	poll 20 sshd_listens "$unit" || {
		sed 's/^/# /' "$WORK/$unit/sshd.log"
		tap_bail "sshd of unit $unit does not listen"
	}
}

# sshd_listens UNIT [PORT]
sshd_listens() {
	[ -n "$(on "$1" ss -Hltn "sport = ${2:-22}")" ]
}

# sshd_end UNIT: ends the server, unless the end of its unit did.
sshd_end() {
	kill "$(cat "$WORK/$1/sshd.pid")" 2>/dev/null && wait "$(cat "$WORK/$1/sshd.pid")" 2>/dev/null
}

# ssh_from HOST PASSWORD OPTION...: a client that knows this password and, unless an option names
# one, no key.
ssh_from() {
	local host=$1
	printf '#!/bin/sh\nexec cat "%s"\n' "$WORK/askpass.$BASHPID" >"$WORK/askpass.$BASHPID.sh"
	printf '%s\n' "$2" >"$WORK/askpass.$BASHPID"
	chmod 700 "$WORK/askpass.$BASHPID.sh"
	shift 2
	on "$host" env SSH_ASKPASS="$WORK/askpass.$BASHPID.sh" SSH_ASKPASS_REQUIRE=force \
		ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel="${LOG:-ERROR}" -o NumberOfPasswordPrompts=1 -o IdentitiesOnly=yes \
		-o ConnectTimeout=20 "$@"
}
