/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anybody may connect, so nobody may keep others out: a user has a few connections, all users who
 * have no part in logins leave room for those who do, and who is silent for a while is hung up on.
 * Root and the helper for keys ask for many logins at once, and are not counted.
 *
 * A request is one packet, so there is nothing to assemble; an answer that the other end does not
 * take at once is not kept. While an answer is worked out the connection is not read.
 */
#include "cfgdb/aaa/aaa_server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/aaa/requests_aaa.h"
#include "cfgdb/base/mem.h"

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OTHERS 128   /* of all who are not trusted */
#define CONNECTIONS_USER 16      /* of one of them */
#define SILENT_S 10
#define LOOKUPS_PER_S 2000
#define LOOKUPS_BURST 500
#define BACKLOG 4096             /* the kernel takes less if it is set to (net.core.somaxconn) */
#define ACCEPTS_A_TURN 64

struct connection {
	struct aaa_server *server;
	struct event *event;
	struct asker who;
	int fd;
	bool broken;             /* to be closed when nothing is under way */
	LIST_ENTRY(connection) next;
};

struct aaa_server {
	struct requests_aaa shared;
	struct event_base *base;
	char *path;
	int fd;
	struct event *listener, *resume;
	LIST_HEAD(, connection) connections;
	unsigned int n, n_others;
};

static uint64_t now_ns(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool is_other(const struct aaa_server *s, uid_t uid) {
	return !asker_is_trusted(&s->shared, uid);
}

/* ---- connections ---- */

static void connection_free(struct connection *c) {
	LIST_REMOVE(c, next);
	c->server->n--;
	c->server->n_others -= is_other(c->server, c->who.uid);
	asker_done(&c->who);
	event_free(c->event);
	close(c->fd);
	free(c);
}

/* A broken one has its turn at once: it is freed from the loop, not from in here. */
static void connection_listen(struct connection *c) {
	const struct timeval silent = { .tv_sec = SILENT_S };

	if (!c->broken && event_add(c->event, &silent) == 0)
		return;
	c->broken = true;
	event_active(c->event, EV_TIMEOUT, 0);
}

static void connection_send(void *arg, const struct buf *packet) {
	struct connection *c = arg;
	ssize_t n = send(c->fd, packet->data, packet->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	c->broken = n != (ssize_t)packet->len;
	connection_listen(c);
}

/* One packet a turn of the loop: whoever else waits is served in between. */
static void on_packet(evutil_socket_t fd, short what, void *arg) {
	struct connection *c = arg;
	uint8_t packet[AAA_REQUEST_MAX];
	ssize_t n = -1;

	if (!c->broken && !(what & EV_TIMEOUT))
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !c->broken && !(what & EV_TIMEOUT)) {
		connection_listen(c);
		return;
	}
	if (n <= 0 || n > (ssize_t)sizeof(packet) ||
	    !asker_request(&c->who, packet, (size_t)n, now_ns()))
		connection_free(c);
	explicit_bzero(packet, sizeof(packet));
}

/* ---- who may connect ---- */

static unsigned int count_of(const struct aaa_server *s, uid_t uid) {
	const struct connection *c;
	unsigned int n = 0;

	LIST_FOREACH(c, &s->connections, next)
		n += c->who.uid == uid;
	return n;
}

static bool has_room(const struct aaa_server *s, uid_t uid) {
	if (s->n >= CONNECTIONS_MAX)
		return false;
	if (uid == 0 || uid == s->shared.keys_uid)
		return true;
	return count_of(s, uid) < CONNECTIONS_USER &&
	       (!is_other(s, uid) || s->n_others < CONNECTIONS_OTHERS);
}

static bool connection_new(struct aaa_server *s, int fd, const struct ucred *cred) {
	struct connection *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->fd = fd;
	c->who = (struct asker){ .shared = &s->shared,
				 .uid = cred->uid,
				 .pid = cred->pid,
				 .send = connection_send,
				 .arg = c };
	c->event = event_new(s->base, fd, EV_READ, on_packet, c);
	if (!c->event) {
		free(c);
		return false;
	}
	LIST_INSERT_HEAD(&s->connections, c, next);
	s->n++;
	s->n_others += is_other(s, cred->uid);
	connection_listen(c);
	return true;
}

/* Out of descriptors: a pause lets some of them close instead of asking again at once. */
static void pause_listening(struct aaa_server *s) {
	const struct timeval pause = { .tv_sec = 1 };

	event_del(s->listener);
	event_add(s->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *arg) {
	const struct aaa_server *s = arg;

	(void)fd;
	(void)what;
	event_add(s->listener, NULL);
}

/* False when there is none to be had now. */
static bool accept_one(struct aaa_server *s) {
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && errno != EAGAIN)
		pause_listening(s);
	if (fd < 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || !has_room(s, cred.uid) ||
	    !connection_new(s, fd, &cred))
		close(fd);
	return true;
}

/* Many at a time: who connects without end does not fill the kernel's queue for others. */
static void on_connect(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN && accept_one(arg); i++)
		;
}

/* ---- the server ---- */

static int bind_to(struct aaa_server *s, struct err *err) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(s->path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_STORE, "%s: path is too long for a socket", s->path);
	strcpy(addr.sun_path, s->path);
	unlink(s->path);
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    chmod(s->path, 0666) != 0 || listen(s->fd, BACKLOG) != 0)
		return err_set(err, ERR_STORE, "%s: %s", s->path, strerror(errno));
	return 0;
}

struct aaa_server *aaa_server_new(const struct aaa_server_config *config, struct err *err) {
	struct aaa_server *s = xcalloc(1, sizeof(*s));

	s->shared = (struct requests_aaa){ .aaa = config->aaa,
					   .keys_uid = config->keys_uid,
					   .lookups = { LOOKUPS_PER_S, LOOKUPS_BURST, 0 } };
	s->base = config->base;
	s->path = xstrdup(config->path);
	s->fd = -1;
	LIST_INIT(&s->connections);
	if (bind_to(s, err) != 0)
		return aaa_server_free(s);
	s->listener = event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_connect, s);
	s->resume = evtimer_new(s->base, on_resume, s);
	if (s->listener && s->resume && event_add(s->listener, NULL) == 0)
		return s;
	err_set(err, ERR_STORE, "%s: no event", s->path);
	return aaa_server_free(s);
}

struct aaa_server *aaa_server_free(struct aaa_server *s) {
	struct connection *c;

	if (!s)
		return NULL;
	while ((c = LIST_FIRST(&s->connections)) != NULL)
		connection_free(c);
	if (s->listener)
		event_free(s->listener);
	if (s->resume)
		event_free(s->resume);
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->path);
	}
	free(s->path);
	free(s);
	return NULL;
}
