/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both kinds of target are datagram sockets that never block. The local daemon gets lines as
 * syslog(3) would write them: priority, time, program. A server gets them as FortiOS sends them:
 * priority and the line, with name and serial number of the unit after date and time.
 *
 * A daemon that is restarted has another socket under its path, so a failed send connects anew, at
 * most once a second. A server's refusal (ICMP) is told by the next send, which is then made again.
 */
#include "cfgdb/logs/logsend.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

#define RETRY_S 1

struct logsend {
	char *local;
	bool on, to_server;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	unsigned int facility;
	char *name, *serial;
	int fd;                    /* -1: not connected */
	time_t retry;              /* not before this time (CLOCK_MONOTONIC) */
	uint64_t lost;
	struct str text;
};

struct logsend *logsend_new(const char *local) {
	struct logsend *s = xcalloc(1, sizeof(*s));

	s->local = xstrdup(local);
	s->fd = -1;
	return s;
}

static void disconnect(struct logsend *s) {
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

struct logsend *logsend_free(struct logsend *s) {
	if (!s)
		return NULL;
	disconnect(s);
	str_done(&s->text);
	free(s->local);
	free(s->name);
	free(s->serial);
	free(s);
	return NULL;
}

/* ---- where to ---- */

static bool local_address(struct logsend *s) {
	struct sockaddr_un *un = (struct sockaddr_un *)&s->addr;

	if (strlen(s->local) >= sizeof(un->sun_path))
		return false;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, s->local);
	s->addr_len = sizeof(*un);
	return true;
}

/* No names: to look one up could take a minute. The caller frees it; NULL when it is no address. */
static struct addrinfo *server_address(const char *server, uint16_t port) {
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_DGRAM };
	struct addrinfo *found = NULL;
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	return getaddrinfo(server, service, &hints, &found) == 0 ? found : NULL;
}

bool logsend_is_address(const char *server) {
	struct addrinfo *found = server_address(server, 0);

	if (found)
		freeaddrinfo(found);
	return found != NULL;
}

static bool take_address(struct logsend *s, const char *server, uint16_t port) {
	struct addrinfo *found = server_address(server, port);

	if (!found)
		return false;
	memcpy(&s->addr, found->ai_addr, found->ai_addrlen);
	s->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

void logsend_to(struct logsend *s, const struct logsend_target *target) {
	disconnect(s);
	s->on = false;
	s->retry = 0;
	if (!target)
		return;
	free(s->name);
	free(s->serial);
	s->name = xstrdup(target->name);
	s->serial = xstrdup(target->serial);
	memset(&s->addr, 0, sizeof(s->addr));
	s->facility = target->facility;
	s->to_server = *target->server != '\0';
	s->on = s->to_server ? take_address(s, target->server, target->port) : local_address(s);
}

/* ---- sending ---- */

static time_t monotonic_s(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool connected(struct logsend *s) {
	time_t now;

	if (s->fd >= 0)
		return true;
	now = monotonic_s();
	if (now < s->retry)
		return false;
	s->retry = now + RETRY_S;
	s->fd = socket(s->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&s->addr, s->addr_len) != 0)
		disconnect(s);
	return s->fd >= 0;
}

/* The line for a server; date and time are its first two fields. */
static void server_text(struct logsend *s, unsigned int priority, const char *line, size_t len) {
	const char *blank = memchr(line, ' ', len);
	size_t head;

	blank = blank ? memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line)) : NULL;
	head = blank ? (size_t)(blank - line) : len;
	str_addf(&s->text, "<%u>", priority);
	str_add_bytes(&s->text, line, head);
	logtext_str(&s->text, "devname", s->name);
	logtext_str(&s->text, "devid", s->serial);
	str_add_bytes(&s->text, line + head, len - head);
}

/* The C locale's names of months, whatever the locale (RFC 3164). */
static void local_text(struct logsend *s, unsigned int priority, const char *line, size_t len) {
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	str_addf(&s->text, "<%u>%s %2d %02d:%02d:%02d gatehoused: ", priority, months[tm.tm_mon],
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	str_add_bytes(&s->text, line, len);
}

static bool send_text(struct logsend *s) {
	for (int i = 0; i < 2 && connected(s); i++) {
		ssize_t n = send(s->fd, s->text.data, s->text.len, MSG_NOSIGNAL);

		if (n >= 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
			return false;
		if (!(s->to_server && errno == ECONNREFUSED))
			disconnect(s);
	}
	return false;
}

void logsend_line(struct logsend *s, enum logtext_level level, const char *line, size_t len) {
	unsigned int priority = s->facility * 8 + (unsigned int)level;

	if (!s->on)
		return;
	str_clear(&s->text);
	if (s->to_server)
		server_text(s, priority, line, len);
	else
		local_text(s, priority, line, len);
	if (!send_text(s))
		s->lost++;
}

uint64_t logsend_lost(struct logsend *s) {
	uint64_t lost = s->lost;

	s->lost = 0;
	return lost;
}
