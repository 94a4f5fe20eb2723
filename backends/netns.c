/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two daemons would fight over one table, whatever directories they use. The lock between them is
 * the name of an abstract unix socket: such names belong to the network namespace, and one goes
 * with its process, however that ends.
 *
 * Any user may hold any such name, and nobody but root shall keep a firewall from starting. So the
 * kernel is asked (sock_diag) whose socket it is. One that belongs neither to root nor to the user
 * of this process is no daemon's.
 */
#include "backends/netns.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "backends/rtnl.h"

#define TRIES 100 /* of 50 ms: a predecessor that was killed may need a moment to be gone */

#define LOCK_NAME "gatehoused"

static const char lock_name[] = "\0" LOCK_NAME;

#define LOCK_LEN (sizeof(lock_name) - 1) /* names of these sockets have no end */

struct holder {
	bool known;
	uid_t uid;
};

static int see_socket(const struct nlmsghdr *nlh, void *arg) {
	struct holder *holder = arg;
	const struct nlattr *attr;
	bool ours = false;
	uid_t uid = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct unix_diag_msg)) {
		const void *data = mnl_attr_get_payload(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == UNIX_DIAG_NAME)
			ours = len == LOCK_LEN && memcmp(data, lock_name, len) == 0;
		else if (mnl_attr_get_type(attr) == UNIX_DIAG_UID && len == sizeof(uint32_t))
			uid = mnl_attr_get_u32(attr);
	}
	if (ours)
		*holder = (struct holder){ true, uid };
	return MNL_CB_OK;
}

/* Who holds the name; not known when the kernel does not tell. */
static struct holder find_holder(void) {
	char data[MNL_NLMSG_HDRLEN + 64] = { 0 };
	struct rtnl *diag = rtnl_open_diag(NULL);
	struct holder holder = { false, 0 };
	struct unix_diag_req *req;
	struct nlmsghdr *nlh;
	void *header;

	if (!diag)
		return holder;
	nlh = rtnl_message(data, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*req), &header);
	req = header;
	req->sdiag_family = AF_UNIX;
	req->udiag_states = ~0u;
	req->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID;
	if (rtnl_query(diag, nlh, see_socket, &holder) != 0)
		holder.known = false;
	rtnl_close(diag);
	return holder;
}

static int refuse(struct err *err) {
	struct holder holder = find_holder();

	if (!holder.known || holder.uid == 0 || holder.uid == geteuid())
		return err_set(err, ERR_LOCKED,
			       "another gatehoused manages this network namespace");
	return err_set(err, ERR_PERMISSION,
		       "a process of user %u holds the lock of this network namespace (unix socket "
		       "@" LOCK_NAME "): a second gatehoused would not be noticed",
		       holder.uid);
}

int netns_lock(struct err *err) {
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + LOCK_LEN;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, ERR_STORE, "no unix socket: %s", strerror(errno));
	memcpy(addr.sun_path, lock_name, LOCK_LEN);
	for (int i = 0; i < TRIES; i++) {
		if (bind(fd, (struct sockaddr *)&addr, len) == 0)
			return 0; /* it stays open with the process */
		if (errno != EADDRINUSE) {
			err_set(err, ERR_STORE, "@" LOCK_NAME ": %s", strerror(errno));
			close(fd);
			return ERR_STORE;
		}
		nanosleep(&pause, NULL);
	}
	close(fd);
	return refuse(err);
}
