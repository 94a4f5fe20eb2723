/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol is one datagram to a unix socket that the environment names; a name that begins with
 * @ is abstract. What waits for us, as the network does, goes on then.
 */
#include "cfgdb/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_ready(struct err *err) {
	static const char message[] = "READY=1";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	ssize_t sent;
	int fd, saved;

	if (len == 0)
		return 0;
	if (len >= sizeof(addr.sun_path))
		return err_set(err, ERR_LENGTH, "NOTIFY_SOCKET: the name is too long");
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sent = fd < 0 ? -1 : sendto(fd, message, strlen(message), MSG_NOSIGNAL,
				    (struct sockaddr *)&addr,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	saved = errno;
	if (fd >= 0)
		close(fd);
	return sent >= 0 ? 0 : err_set(err, ERR_STORE, "NOTIFY_SOCKET: %s: %s", name,
				       strerror(saved));
}
