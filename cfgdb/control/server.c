/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who connects is known from the kernel (SO_PEERCRED): a process in a session of an administrator
 * acts for him; root and members of one group are administrators, too; one user can attach and do
 * what replication needs, which is to read and bring all that a group shares, and to say who leads
 * it: with that he has the unit; everyone else is told so and dropped. A connection has at most one
 * open transaction, which dies with it.
 *
 * A client that does not read its answers is not read either: requests wait while more than
 * OUTPUT_MAX bytes stand in its output buffer, so one slow terminal costs one buffer. An answer
 * that comes in pieces goes on when there is room for the next, one piece in a turn of the loop, so
 * everyone else is served between them. What a request itself does is in requests.c.
 */
#include "cfgdb/control/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/origin.h"

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OTHERS 192   /* of all but root and who may attach */
#define CONNECTIONS_USER 64      /* of one of these */
#define OUTPUT_MAX (1u << 20)
#define OUTPUT_LOW (256u << 10) /* room for the next piece of an answer */
#define GROUPS_MAX 256
#define HEAD_LEN 4
#define HELLO_MAX 4096 /* bytes of a frame before the hello */

struct connection {
	struct server *server;
	struct bufferevent *bev;
	struct caller caller;
	struct event *turn;        /* fires when the answer under way may go on; NULL without one */
	uid_t uid;                 /* of the other end */
	bool other;                /* neither root nor who may attach */
	LIST_ENTRY(connection) next;
};

struct server {
	struct engine *engine;
	struct server_config config;
	char *path, *group, *version, *attach_user;
	struct evconnlistener *listener;
	struct event *resume;      /* ends a pause in accepting */
	LIST_HEAD(, connection) connections;
	unsigned int n_connections;
};

/* ---- who may ---- */

static bool is_member(const struct passwd *pw, const char *group) {
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	struct group *gr = getgrnam(group);

	if (!gr || getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == gr->gr_gid)
			return true;
	return false;
}

/* Who is at the other end. */
struct peer {
	uid_t uid;
	char user[80], ui[LOGINS_ORIGIN_MAX];
	bool administers, attaches;
	bool administrator;
	uint32_t session;
};

/* Someone with the uid of an administrator: without a session that lasts he may do nothing. */
static void peer_in_session(const struct aaa *aaa, const struct ucred *cred, struct peer *peer) {
	const struct login *login = aaa ? logins_of(aaa_logins(aaa), cred->pid, cred->uid) : NULL;

	peer->administrator = true;
	if (!login)
		return;
	snprintf(peer->user, sizeof(peer->user), "%s", login->name);
	snprintf(peer->ui, sizeof(peer->ui), "%s", login->origin);
	peer->administers = !login->over;
	peer->session = login->id;
}

/*
 * A user of the machine. The user of the daemon that attaches opens the socket as a member of the
 * group, and is no administrator for that.
 */
static void peer_of_machine(const struct server *s, const struct ucred *cred, struct peer *peer) {
	const struct passwd *pw = getpwuid(cred->uid);
	char host[ORIGIN_MAX];

	origin_of("", cred->pid, host);
	if (pw)
		snprintf(peer->user, sizeof(peer->user), "%s", pw->pw_name);
	snprintf(peer->ui, sizeof(peer->ui), *host ? "cli(%s)" : "cli", host);
	peer->administers = cred->uid == 0 || cred->uid == geteuid();
	peer->attaches = s->attach_user && pw && strcmp(peer->user, s->attach_user) == 0;
	if (!peer->administers && !peer->attaches)
		peer->administers = pw && is_member(pw, s->group);
	peer->attaches = peer->attaches || cred->uid == 0;
}

static struct peer peer_at(const struct server *s, int fd) {
	struct peer peer = { .uid = (uid_t)-1, .ui = "cli" };
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return peer;
	peer.uid = cred.uid;
	snprintf(peer.user, sizeof(peer.user), "uid%u", cred.uid);
	if (aaa_is_uid(cred.uid))
		peer_in_session(s->config.aaa, &cred, &peer);
	else
		peer_of_machine(s, &cred, &peer);
	return peer;
}

/* ---- connections ---- */

/* Before a stream is touched: its descriptor must not be waited for any more. */
static void connection_pause(struct connection *c) {
	if (c->turn)
		event_free(c->turn);
	c->turn = NULL;
}

static void connection_free(struct connection *c) {
	LIST_REMOVE(c, next);
	c->server->n_connections--;
	connection_pause(c);
	caller_done(&c->caller);
	bufferevent_free(c->bev);
	free(c);
}

static void wipe_sent(const void *data, size_t len, void *extra) {
	(void)extra;
	explicit_bzero((void *)data, len);
	free((void *)data);
}

/* A frame with a secret: the copy that waits to be sent is wiped when it is. */
static void send_secret(struct evbuffer *out, const struct buf *frame) {
	uint8_t *copy = xcalloc(frame->len, 1);

	memcpy(copy, frame->data, frame->len);
	if (evbuffer_add_reference(out, copy, frame->len, wipe_sent, NULL) != 0)
		wipe_sent(copy, frame->len, NULL);
}

static void connection_send(void *arg, const struct buf *frame) {
	struct connection *c = arg;
	struct evbuffer *out = bufferevent_get_output(c->bev);
	uint8_t head[4];

	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(frame->len >> (24 - 8 * i));
	bufferevent_write(c->bev, head, sizeof(head));
	if (frame->data[0] == CTL_STATE)
		send_secret(out, frame);
	else
		bufferevent_write(c->bev, frame->data, frame->len);
	/* Who is attached has not asked for this: when it does not read, it is as if it hung up. */
	if (c->caller.attached && evbuffer_get_length(out) > OUTPUT_MAX)
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

static size_t frame_max(const struct caller *caller) {
	bool known = caller->allowed || caller->may_attach;

	if (caller->attached)
		return CTL_ATTACHED_MAX;
	return caller->greeted && known ? CTL_FRAME_MAX : HELLO_MAX;
}

/*
 * One whole frame at the begin of the input: len bytes, which begin behind the head; NULL when it
 * is not there yet. *bad when the length is out of bounds: whoever has not said hello is trusted
 * with little memory.
 */
static uint8_t *connection_frame(const struct connection *c, size_t *len, bool *bad) {
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t most = frame_max(&c->caller);
	uint8_t head[HEAD_LEN];
	uint8_t *all;

	if (evbuffer_copyout(in, head, sizeof(head)) != (ssize_t)sizeof(head))
		return NULL;
	*len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	*bad = *len == 0 || *len > most;
	if (*bad || evbuffer_get_length(in) < HEAD_LEN + *len)
		return NULL;
	all = evbuffer_pullup(in, (ev_ssize_t)(HEAD_LEN + *len));
	*bad = !all;
	return all ? all + HEAD_LEN : NULL;
}

/* Done with a frame: it may have held a secret in clear. */
static void connection_drop_frame(const struct connection *c, uint8_t *frame, size_t len) {
	explicit_bzero(frame, len);
	evbuffer_drain(bufferevent_get_input(c->bev), HEAD_LEN + len);
}

static void connection_turn(evutil_socket_t fd, short what, void *arg);

/* The next piece of the answer under way, if there is room, and what wakes us for the one after. */
static void connection_stream(struct connection *c) {
	struct evbuffer *out = bufferevent_get_output(c->bev);
	const struct timeval at_once = { 0 };
	enum stream_state state;
	int fd = c->caller.stream.fd;

	connection_pause(c);
	if (evbuffer_get_length(out) > OUTPUT_LOW)
		return; /* connection_drained goes on */
	state = caller_stream(&c->caller);
	if (state != STREAM_MORE && state != STREAM_WAIT)
		return;
	c->turn = event_new(bufferevent_get_base(c->bev), state == STREAM_WAIT ? fd : -1, EV_READ,
			    connection_turn, c);
	if (!c->turn || event_add(c->turn, state == STREAM_WAIT ? NULL : &at_once) != 0)
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR); /* no memory: as if hung up */
}

static void connection_read(struct bufferevent *bev, void *arg) {
	struct connection *c = arg;
	struct evbuffer *out = bufferevent_get_output(bev);
	bool bad = false;

	while (!bad) {
		uint8_t *frame;
		size_t len;

		if (evbuffer_get_length(out) > OUTPUT_MAX) {
			bufferevent_disable(bev, EV_READ);
			return;
		}
		frame = connection_frame(c, &len, &bad);
		if (!frame)
			break;
		if (caller_is_streaming(&c->caller))
			connection_pause(c);
		bad = !caller_request(&c->caller, frame, len);
		connection_drop_frame(c, frame, len);
		if (!bad && caller_is_streaming(&c->caller))
			connection_stream(c);
	}
	if (bad)
		connection_free(c);
}

static void connection_turn(evutil_socket_t fd, short what, void *arg) {
	struct connection *c = arg;

	(void)fd;
	(void)what;
	connection_stream(c);
	if (!caller_is_streaming(&c->caller))
		connection_read(c->bev, c); /* requests may have come meanwhile */
}

static void connection_drained(struct bufferevent *bev, void *arg) {
	struct connection *c = arg;

	if (caller_is_streaming(&c->caller) && !c->turn)
		connection_stream(c);
	if (bufferevent_get_enabled(bev) & EV_READ)
		return;
	bufferevent_enable(bev, EV_READ);
	connection_read(bev, arg);
}

static void connection_event(struct bufferevent *bev, short what, void *arg) {
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_free(arg);
}

/* ---- who connects ---- */

/* Root and who attaches have places of their own, and no user takes those of all others. */
static bool has_room(const struct server *s, const struct peer *peer) {
	const struct connection *c;
	unsigned int others = 0, same = 0;

	if (peer->attaches)
		return s->n_connections < CONNECTIONS_MAX;
	LIST_FOREACH(c, &s->connections, next) {
		others += c->other;
		same += c->uid == peer->uid;
	}
	return others < CONNECTIONS_OTHERS && same < CONNECTIONS_USER;
}

/* An answer that nobody has asked for yet, before it is hung up. */
static void say_last(int fd, int code, const char *text) {
	AUTO_BUF struct buf frame = BUF_INIT, body = BUF_INIT;

	buf_put_u8(&body, CTL_ERROR);
	buf_put_u32(&body, (uint32_t)code);
	buf_put_str(&body, text);
	buf_put_u32(&frame, (uint32_t)body.len);
	buf_put_bytes(&frame, body.data, body.len);
	(void)send(fd, frame.data, frame.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void turn_away(int fd) {
	say_last(fd, ERR_MAX_ENTRIES, "too many sessions are open: end one");
	close(fd);
}

static void connection_init_caller(struct connection *c, const struct peer *peer) {
	caller_init(&c->caller, c->server->engine, &c->server->config, peer->user,
		    peer->administers);
	if (peer->administrator && peer->administers)
		caller_take_role(&c->caller);
	c->caller.may_attach = peer->attaches;
	snprintf(c->caller.ui, sizeof(c->caller.ui), "%s", peer->ui);
	c->caller.administrator = peer->administrator;
	c->caller.session = peer->session;
	c->caller.send = connection_send;
	c->caller.send_arg = c;
}

static void server_accept(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *addr, int len, void *arg) {
	struct server *s = arg;
	struct peer peer = peer_at(s, fd);
	struct connection *c;

	(void)addr;
	(void)len;
	if (!has_room(s, &peer)) {
		turn_away(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->uid = peer.uid;
	c->other = !peer.attaches;
	c->bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
					BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		close(fd);
		free(c);
		return;
	}
	connection_init_caller(c, &peer);
	LIST_INSERT_HEAD(&s->connections, c, next);
	s->n_connections++;
	bufferevent_setcb(c->bev, connection_read, connection_drained, connection_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, CTL_FRAME_MAX + 4);
	bufferevent_setwatermark(c->bev, EV_WRITE, OUTPUT_LOW, 0);
	bufferevent_set_max_single_write(c->bev, OUTPUT_LOW);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* Out of descriptors: a pause lets some of them close instead of asking again at once. */
static void server_accept_failed(struct evconnlistener *listener, void *arg) {
	struct server *s = arg;
	const struct timeval pause = { .tv_sec = 1 };

	evconnlistener_disable(listener);
	event_add(s->resume, &pause);
}

static void server_resume(evutil_socket_t fd, short what, void *arg) {
	struct server *s = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(s->listener);
}

/* ---- the server ---- */

static int server_listen(struct server *s, struct event_base *base, struct err *err) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct group *gr = getgrnam(s->group);

	if (strlen(s->path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_STORE, "%s: path is too long for a socket", s->path);
	strcpy(addr.sun_path, s->path);
	unlink(s->path);
	s->listener = evconnlistener_new_bind(base, server_accept, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
					      (struct sockaddr *)&addr, sizeof(addr));
	s->resume = evtimer_new(base, server_resume, s);
	if (s->listener && s->resume)
		evconnlistener_set_error_cb(s->listener, server_accept_failed);
	else
		return err_set(err, ERR_STORE, "%s: %s", s->path, strerror(errno));
	if (chmod(s->path, 0660) != 0 ||
	    (gr && gr->gr_gid != getegid() && chown(s->path, (uid_t)-1, gr->gr_gid) != 0))
		return err_set(err, ERR_STORE, "%s: %s", s->path, strerror(errno));
	return 0;
}

struct server *server_new(struct event_base *base, struct engine *engine,
			  const struct server_config *config, struct err *err) {
	struct server *s = xcalloc(1, sizeof(*s));

	s->engine = engine;
	s->path = xstrdup(config->path);
	s->group = xstrdup(config->group);
	s->version = xstrdup(config->version);
	s->attach_user = config->attach_user ? xstrdup(config->attach_user) : NULL;
	s->config = *config;
	s->config.path = s->path;
	s->config.group = s->group;
	s->config.version = s->version;
	s->config.attach_user = s->attach_user;
	LIST_INIT(&s->connections);
	if (server_listen(s, base, err) == 0)
		return s;
	server_free(s);
	return NULL;
}

/*
 * One of them may be at work at this moment, so it goes when the loop sees its end. An answer that
 * is on its way may not be cut by another one: who does not read it is not told.
 */
void server_end_session(struct server *s, uint32_t session, const char *why) {
	struct connection *c;

	LIST_FOREACH(c, &s->connections, next) {
		int fd = bufferevent_getfd(c->bev);

		if (session == 0 || c->caller.session != session)
			continue;
		c->caller.allowed = false;
		if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
			say_last(fd, ERR_TIMEOUT, why);
		shutdown(fd, SHUT_RDWR);
	}
}

void server_free(struct server *s) {
	struct connection *c;

	if (!s)
		return;
	while ((c = LIST_FIRST(&s->connections)) != NULL)
		connection_free(c);
	if (s->resume)
		event_free(s->resume);
	if (s->listener) {
		evconnlistener_free(s->listener);
		unlink(s->path);
	}
	free(s->path);
	free(s->group);
	free(s->version);
	free(s->attach_user);
	free(s);
}
