/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything comes in turns. A turn of events is what the socket holds, up to a bound. The first
 * event after a silence is read at once; what follows it waits until 2 ms later, for a batch costs
 * a fraction of what reading, sealing and sending each alone costs, the changes of a session become
 * one, and the kernel forwards faster meanwhile. A walk takes a bite of the kernel's listing in
 * each turn of the loop, and waits while there is no room for it.
 *
 * Changes that the kernel refuses come back between two calls of who is served, never within one:
 * they wait in a list until sessions_flush.
 *
 * The kernel deletes by tuple, whoever the entry belongs to. So an entry that is to be deleted is
 * read before, and deleted by its id if it is the one that was meant. Reading each alone would cost
 * more than all the rest: from the first delete on, changes wait until there are some, and all
 * their entries are read at once. What was read stands, unless an earlier change among them is of
 * the same tuple.
 */
#include "sync/sessions.h"

#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "backends/ct_events.h"
#include "backends/ct_writer.h"
#include "backends/fib.h"
#include "cfgdb/base/mem.h"

#define EVENT_BUFFER (64 << 20)
#define SETTINGS "/proc/sys/net/netfilter"
#define PAUSE_US 2000                  /* between turns */
#define WALK_PAUSE_US 5000             /* while queues are full */
#define ROUNDS_MAX 8                   /* of failures that bring new changes, in one flush */

/* A change that the kernel refused. */
struct failure {
	struct fgsp_change change;
	int error;
};

/* What the kernel's settings say, as of a second ago at most. */
struct limits {
	bool known;
	time_t read_s;
	uint32_t timeout[TCP_CONNTRACK_MAX];
	uint32_t count, max;           /* entries; count: with those made since */
};

struct sessions {
	struct sessions_config config;
	struct sessions_calls calls;
	bool serves;                   /* there is someone to call */
	struct ct_netlink *reader;
	struct ct_writer *writer;
	struct ct_change waiting[CT_GET_MAX];        /* the first of them is a delete */
	size_t n_waiting;
	struct failure *failures;
	size_t n_failures, failures_size;

	struct ct_events *events;
	struct event *on_events, *after_pause;
	unsigned int turn;             /* events of this turn */

	bool walks;                    /* its end is still to be told */
	struct ct_dump *dump;
	struct event *on_dump, *after_wait;

	struct fib *fib;               /* NULL: not read since they changed */
	struct limits limits;
};

static void say(const struct sessions *s, int priority, const char *text) {
	s->config.log(s->config.arg, priority, text);
}

/* ---- changes ---- */

/* What the writer keeps of a change and gives back: its cookie, and `whole`. */
#define COOKIE_WHOLE (UINT64_C(1) << 32)

static void refused(void *arg, const struct ct_change *c, int error) {
	static const enum fgsp_write whats[] = {
		[CT_WRITE_CREATE] = FGSP_CREATE,
		[CT_WRITE_UPDATE] = FGSP_UPDATE,
		[CT_WRITE_DELETE] = FGSP_DELETE,
		[CT_WRITE_EXPECT] = FGSP_EXPECT,
	};
	struct sessions *s = arg;
	struct failure *f;

	if (s->n_failures == s->failures_size) {
		s->failures_size = s->failures_size ? s->failures_size * 2 : CT_WRITER_BATCH;
		s->failures = xreallocarray(s->failures, s->failures_size, sizeof(*s->failures));
	}
	f = &s->failures[s->n_failures++];
	*f = (struct failure){ .error = error };
	f->change.what = whats[c->what];
	f->change.fields = c->fields;
	f->change.whole = c->cookie & COOKIE_WHOLE;
	f->change.cookie = (uint32_t)c->cookie;
	memcpy(f->change.label_mask, c->label_mask, sizeof(c->label_mask));
	f->change.ct = c->ct;
}

/* Whether an entry is the one that a delete means. */
static bool is_meant(const struct ct_change *c, const struct ct *ct) {
	for (int i = 0; i < 2; i++)
		if ((ct->label[i] ^ c->ct.label[i]) & c->label_mask[i])
			return false;
	return true;
}

/* Whether a change that waits before this one may have touched the same entry. */
static bool is_touched(const struct sessions *s, size_t n) {
	const struct ct_tuple *t = &s->waiting[n].ct.tuple[CT_ORIG];

	for (size_t i = 0; i < n; i++) {
		const struct ct_tuple *other = &s->waiting[i].ct.tuple[CT_ORIG];

		if (t->sport == other->sport && t->dport == other->dport &&
		    net_equal(&t->src, &other->src) && net_equal(&t->dst, &other->dst))
			return true;
	}
	return false;
}

static bool read_now(struct sessions *s, struct ct *ct) {
	struct err err = { 0 };

	ct_writer_flush(s->writer);
	if (ct_get(s->reader, ct, &err) == 0)
		return true;
	if (err.code != ERR_NOT_FOUND)
		say(s, LOG_WARNING, err.text);
	return false;
}

/* Read the entries of all deletes that wait. */
static void look_up(struct sessions *s, struct ct *found, bool *there) {
	struct err err = { 0 };
	size_t n = 0;

	ct_writer_flush(s->writer);
	for (size_t i = 0; i < s->n_waiting; i++)
		if (s->waiting[i].what == CT_WRITE_DELETE)
			found[n++] = s->waiting[i].ct;
	if (ct_get_all(s->reader, found, there, n, &err) != 0)
		say(s, LOG_WARNING, err.text);
}

/* Give the writer what waits. */
static void work_off(struct sessions *s) {
	AUTO_FREE struct ct *found = NULL;
	bool there[CT_GET_MAX];
	size_t next = 0;

	if (s->n_waiting == 0)
		return;
	found = xcalloc(s->n_waiting, sizeof(*found));
	look_up(s, found, there);
	for (size_t i = 0; i < s->n_waiting; i++) {
		struct ct_change *c = &s->waiting[i];
		bool write = true;

		if (c->what == CT_WRITE_DELETE) {
			size_t n = next++;

			if (is_touched(s, i)) {
				found[n] = c->ct;
				there[n] = read_now(s, &found[n]);
			}
			write = there[n] && is_meant(c, &found[n]);
			c->ct = found[n];
		}
		if (write)
			ct_write(s->writer, c);
	}
	s->n_waiting = 0;
}

/* The fields of an update have the same bits here and there. */
_Static_assert(FGSP_STATE == CT_FIELD_STATE && FGSP_STATUS == CT_FIELD_STATUS &&
		       FGSP_TIMEOUT == CT_FIELD_TIMEOUT && FGSP_LABEL == CT_FIELD_LABEL &&
		       FGSP_MARK == CT_FIELD_MARK && FGSP_LIBERAL == CT_FIELD_LIBERAL,
	       "fields of an update");

void sessions_write(struct sessions *s, const struct fgsp_change *change) {
	static const enum ct_write whats[] = {
		[FGSP_CREATE] = CT_WRITE_CREATE,
		[FGSP_UPDATE] = CT_WRITE_UPDATE,
		[FGSP_DELETE] = CT_WRITE_DELETE,
		[FGSP_EXPECT] = CT_WRITE_EXPECT,
	};
	struct ct_change c = { .what = whats[change->what],
			       .fields = change->fields,
			       .ct = change->ct,
			       .expect = change->expect,
			       .cookie = change->cookie | (change->whole ? COOKIE_WHOLE : 0) };

	memcpy(c.label_mask, change->label_mask, sizeof(c.label_mask));
	s->limits.count += c.what == CT_WRITE_CREATE;
	/* An expected session is only there during the call. */
	if (s->n_waiting == CT_GET_MAX || c.what == CT_WRITE_EXPECT)
		work_off(s);
	if (s->n_waiting > 0 || c.what == CT_WRITE_DELETE)
		s->waiting[s->n_waiting++] = c;
	else
		ct_write(s->writer, &c);
}

bool sessions_get(struct sessions *s, struct ct *ct) {
	work_off(s);
	return read_now(s, ct);
}

static void write_all(struct sessions *s) {
	work_off(s);
	ct_writer_flush(s->writer);
}

/*
 * A failure may bring a change that fails as well; who makes it gives up after a few, and so do we:
 * what is left waits for the next flush.
 */
void sessions_flush(struct sessions *s) {
	if (s->serves)
		s->calls.flush(s->calls.arg);
	write_all(s);
	for (int round = 0; s->serves && s->n_failures > 0 && round < ROUNDS_MAX; round++) {
		struct failure *failures = s->failures;
		size_t n = s->n_failures;

		s->failures = NULL;
		s->n_failures = s->failures_size = 0;
		for (size_t i = 0; i < n; i++)
			s->calls.write_failed(s->calls.arg, &failures[i].change, failures[i].error);
		free(failures);
		s->calls.flush(s->calls.arg);
		write_all(s);
	}
}

/* ---- events ---- */

static void take_event(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	static const enum fgsp_event whats[] = {
		[CT_BEGINS] = FGSP_NEW,
		[CT_CHANGES] = FGSP_CHANGED,
		[CT_ENDS] = FGSP_GONE,
	};
	struct sessions *s = arg;

	s->turn++;
	s->calls.event(s->calls.arg, event == CT_ENDS && by == 0 ? FGSP_EXPIRED : whats[event], ct);
}

static void take_expected(void *arg, const struct ct_expect *expect) {
	struct sessions *s = arg;

	s->turn++;
	s->calls.expect(s->calls.arg, expect);
}

static void listen_or_pause(struct sessions *s) {
	const struct timeval pause = { .tv_usec = PAUSE_US };

	if (s->turn > 0 && s->turn < CT_EVENTS_PER_TURN) {
		event_del(s->on_events);
		event_add(s->after_pause, &pause);
	} else {
		event_add(s->on_events, NULL);
	}
}

static void on_events(evutil_socket_t fd, short what, void *arg) {
	struct sessions *s = arg;

	(void)fd;
	(void)what;
	s->turn = 0;
	if (ct_events_read_all(s->events, take_event, take_expected, s))
		s->calls.overrun(s->calls.arg);
	sessions_flush(s);
	listen_or_pause(s);
}

static int follow(struct sessions *s, struct err *err) {
	int size = s->config.event_buffer ? s->config.event_buffer : EVENT_BUFFER;

	s->events = ct_events_open(err);
	if (!s->events || ct_events_follow(s->events, ct_writer_port(s->writer), size, err) != 0)
		return ERR_KERNEL;
	s->on_events = event_new(s->config.base, ct_events_fd(s->events), EV_READ | EV_PERSIST,
				 on_events, s);
	s->after_pause = evtimer_new(s->config.base, on_events, s);
	if (!s->on_events || !s->after_pause || event_add(s->on_events, NULL) != 0)
		return err_set(err, ERR_KERNEL, "no event loop");
	return 0;
}

static void free_event(struct event **e) {
	if (*e)
		event_free(*e);
	*e = NULL;
}

static void unfollow(struct sessions *s) {
	free_event(&s->on_events);
	free_event(&s->after_pause);
	s->events = ct_events_close(s->events);
}

/* ---- walks ---- */

static void end_walk(struct sessions *s, bool whole) {
	free_event(&s->on_dump);
	event_del(s->after_wait);
	s->dump = ct_dump_close(s->dump);
	if (s->walks)
		s->calls.walk_end(s->calls.arg, whole);
	s->walks = false;
}

static void take_entry(void *arg, const struct ct *ct) {
	struct sessions *s = arg;

	s->calls.walk_entry(s->calls.arg, ct);
}

/* While there is no room the listing stays where it is: the kernel goes no further unasked. */
static void wait_for_room(struct sessions *s) {
	const struct timeval pause = { .tv_usec = WALK_PAUSE_US };

	event_del(s->on_dump);
	event_add(s->after_wait, &pause);
}

static void on_dump(evutil_socket_t fd, short what, void *arg) {
	struct sessions *s = arg;
	struct err err = { 0 };
	enum ct_dump_state state;

	(void)fd;
	(void)what;
	if (!s->calls.walk_room(s->calls.arg)) {
		wait_for_room(s);
		return;
	}
	event_add(s->on_dump, NULL);
	state = ct_dump_next(s->dump, take_entry, s, &err);
	if (state == CT_DUMP_ERROR)
		say(s, LOG_WARNING, err.text);
	if (state != CT_DUMP_MORE)
		end_walk(s, state == CT_DUMP_END);
	sessions_flush(s);
}

/* Fails, if it does, from the loop: nobody is called from within his own call. */
static void on_no_walk(evutil_socket_t fd, short what, void *arg) {
	struct sessions *s = arg;

	(void)fd;
	(void)what;
	if (s->dump)
		on_dump(fd, what, s);
	else
		end_walk(s, false);
}

void sessions_walk(struct sessions *s) {
	const struct timeval pause = { .tv_sec = 1 };
	struct err err = { 0 };

	if (!s->serves || s->walks)
		return;
	s->walks = true;
	s->dump = ct_dump_open(NULL, &err);
	if (s->dump)
		s->on_dump = event_new(s->config.base, ct_dump_fd(s->dump), EV_READ | EV_PERSIST,
				       on_dump, s);
	if (s->on_dump && event_add(s->on_dump, NULL) == 0)
		return;
	say(s, LOG_WARNING, s->dump ? "no event loop" : err.text);
	s->dump = ct_dump_close(s->dump);
	event_add(s->after_wait, &pause);
}

/* ---- what the kernel allows ---- */

/* Read a number; 0 when there is none. */
static uint32_t read_setting(const struct sessions *s, const char *name) {
	const char *folder = s->config.settings ? s->config.settings : SETTINGS;
	char path[PATH_MAX], text[16] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/nf_conntrack_%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static void look_at_limits(struct sessions *s) {
	static const char *const timeouts[TCP_CONNTRACK_MAX] = {
		[TCP_CONNTRACK_SYN_SENT] = "tcp_timeout_syn_sent",
		[TCP_CONNTRACK_SYN_RECV] = "tcp_timeout_syn_recv",
		[TCP_CONNTRACK_ESTABLISHED] = "tcp_timeout_established",
		[TCP_CONNTRACK_FIN_WAIT] = "tcp_timeout_fin_wait",
		[TCP_CONNTRACK_CLOSE_WAIT] = "tcp_timeout_close_wait",
		[TCP_CONNTRACK_LAST_ACK] = "tcp_timeout_last_ack",
		[TCP_CONNTRACK_TIME_WAIT] = "tcp_timeout_time_wait",
		[TCP_CONNTRACK_CLOSE] = "tcp_timeout_close",
		[TCP_CONNTRACK_SYN_SENT2] = "tcp_timeout_syn_sent",
	};
	struct limits *l = &s->limits;
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	if (l->known && now.tv_sec == l->read_s)
		return;
	for (unsigned int i = 0; i < TCP_CONNTRACK_MAX; i++)
		l->timeout[i] = timeouts[i] ? read_setting(s, timeouts[i]) : 0;
	l->count = read_setting(s, "count");
	l->max = read_setting(s, "max");
	l->known = true;
	l->read_s = now.tv_sec;
}

uint32_t sessions_timeout(struct sessions *s, const struct ct *ct) {
	look_at_limits(s);
	return ct->proto == IPPROTO_TCP && ct->state < TCP_CONNTRACK_MAX ?
		       s->limits.timeout[ct->state] : 0;
}

bool sessions_is_full(struct sessions *s) {
	struct limits *l = &s->limits;

	look_at_limits(s);
	return l->max > 0 && l->count > l->max / 10 * 9;
}

/* ---- interfaces ---- */

static struct fib *routes(struct sessions *s) {
	struct err err = { 0 };

	if (!s->fib)
		s->fib = fib_read(&err);
	if (!s->fib)
		say(s, LOG_WARNING, err.text);
	return s->fib;
}

void sessions_forget_routes(struct sessions *s) {
	s->fib = fib_free(s->fib);
}

static bool is_link(int index, const char *name) {
	return name[0] == '\0' || (index > 0 && (unsigned int)index == if_nametoindex(name));
}

bool sessions_interfaces(struct sessions *s, const struct ct *ct, const char *srcintf,
		      const char *dstintf) {
	struct fib *fib = routes(s);
	struct fib_path path;

	if (!fib)
		return false;
	fib_path(fib, ct->family, &ct->tuple[CT_ORIG].src, &ct->tuple[CT_REPLY].src, &path);
	return is_link(path.to[0].index, srcintf) && is_link(path.to[1].index, dstintf);
}

/* ---- the whole ---- */

struct sessions *sessions_new(const struct sessions_config *config, struct err *err) {
	struct sessions *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	s->reader = ct_open(err);
	s->writer = s->reader ? ct_writer_open(refused, s, err) : NULL;
	if (!s->writer)
		return sessions_free(s);
	s->after_wait = evtimer_new(config->base, on_no_walk, s);
	if (s->after_wait)
		return s;
	err_set(err, ERR_KERNEL, "no event loop");
	return sessions_free(s);
}

struct sessions *sessions_free(struct sessions *s) {
	if (!s)
		return NULL;
	unfollow(s);
	free_event(&s->on_dump);
	free_event(&s->after_wait);
	ct_dump_close(s->dump);
	ct_writer_close(s->writer);
	ct_close(s->reader);
	fib_free(s->fib);
	free(s->failures);
	free(s);
	return NULL;
}

int sessions_serve(struct sessions *s, const struct sessions_calls *calls, struct err *err) {
	unfollow(s);
	end_walk(s, false);
	s->n_failures = 0;
	s->serves = calls;
	if (!calls)
		return 0;
	s->calls = *calls;
	return follow(s, err);
}
