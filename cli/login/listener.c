/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-listener runs the SSH server for administrators with what `config system global` says:
 * port, times, banner, algorithms. It asks the daemon now and then; when something has changed, or
 * the server's program has, the server is started anew, while logins that stand go on, for they are
 * processes of their own.
 *
 * A server that runs is only ended for one that can: its options are tried first, and its port.
 * What cannot be is said once, and tried again; until then the server runs as before.
 *
 * What it learns goes to the command line as numbers and as choices from the lists below, never as
 * text of somebody else: the server runs as root and the daemon does not. While the daemon is away
 * the server runs on with what was known last, at first the defaults, for the local accounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cfgdb/base/mem.h"
#include "cli/login/paths.h"

#define ASK_S 2
#define OPTION_MAX 1024
#define EMPTY_DIR "/run/sshd"   /* of the server; it goes when the machine's own server is ended */

enum { PORT, GRACE, IDLE, BANNER, KEX, CIPHERS, MACS, N_OPTIONS };

/* How the server is to run, or runs; zero where there is nothing. */
struct order {
	unsigned int port;
	char option[N_OPTIONS][OPTION_MAX]; /* zero behind each text */
	struct timespec changed;       /* the server's program */
};

struct listener {
	const char *socket, *sshd, *config, *banner;
	struct order wanted, used, good, refused; /* good: with which it has run */
	pid_t server;                  /* 0: it does not run */
	sigset_t before;               /* signals that are blocked where it runs */
};

/* ---- algorithms ---- */

/* A word of the schema and what OpenSSH calls it; NULL: the same. */
struct choice {
	const char *word, *names;
};

static const struct choice kex[] = {
	{ "curve25519-sha256@libssh.org", "curve25519-sha256,curve25519-sha256@libssh.org" },
	{ "ecdh-sha2-nistp256", NULL },
	{ "ecdh-sha2-nistp384", NULL },
	{ "ecdh-sha2-nistp521", NULL },
	{ "diffie-hellman-group16-sha512", NULL },
	{ "diffie-hellman-group18-sha512", NULL },
	{ "diffie-hellman-group14-sha256", NULL },
	{ "diffie-hellman-group-exchange-sha256", NULL },
	{ "diffie-hellman-group14-sha1", NULL },
	{ "diffie-hellman-group-exchange-sha1", NULL },
	{ "diffie-hellman-group1-sha1", NULL },
	{ 0 },
};

static const struct choice ciphers[] = {
	{ "chacha20-poly1305@openssh.com", NULL },
	{ "aes256-gcm@openssh.com", NULL },
	{ "aes128-gcm@openssh.com", NULL },
	{ "aes256-ctr", NULL },
	{ "aes192-ctr", NULL },
	{ "aes128-ctr", NULL },
	{ "aes256-cbc", NULL },
	{ "aes192-cbc", NULL },
	{ "aes128-cbc", NULL },
	{ "3des-cbc", NULL },
	{ 0 },
};

static const struct choice macs[] = {
	{ "hmac-sha2-256-etm@openssh.com", NULL },
	{ "hmac-sha2-512-etm@openssh.com", NULL },
	{ "hmac-sha2-256", NULL },
	{ "hmac-sha2-512", NULL },
	{ "umac-128-etm@openssh.com", NULL },
	{ "umac-128@openssh.com", NULL },
	{ "umac-64-etm@openssh.com", NULL },
	{ "umac-64@openssh.com", NULL },
	{ "hmac-sha1-etm@openssh.com", NULL },
	{ "hmac-sha1", NULL },
	{ "hmac-md5-etm@openssh.com", NULL },
	{ "hmac-md5", NULL },
	{ "hmac-md5-96-etm@openssh.com", NULL },
	{ "hmac-md5-96", NULL },
	{ 0 },
};

static bool has_word(const char *words, const char *word) {
	size_t len = strlen(word), n;

	for (; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && memcmp(words, word, n) == 0)
			return true;
	}
	return false;
}

/* The option with what is chosen; none when the server has nothing of it. */
static void choose(char *option, const char *name, const struct choice *list, const char *words) {
	size_t len = 0;

	for (; list->word; list++)
		if (has_word(words, list->word))
			len += (size_t)snprintf(option + len, OPTION_MAX - len, "%s%s",
						len ? "," : name,
						list->names ? list->names : list->word);
}

/* ---- what is to be ---- */

static bool is_sane(const struct aaa_listen *listen) {
	return listen->port > 0 && listen->grace_s >= 10 && listen->grace_s <= 3600 &&
	       listen->idle_s >= 60 && listen->idle_s <= 8 * 3600;
}

static void order_from(const struct listener *l, const struct aaa_listen *listen,
		       struct order *ret) {
	memset(ret, 0, sizeof(*ret));
	ret->port = listen->port;
	snprintf(ret->option[PORT], OPTION_MAX, "-p%u", listen->port);
	snprintf(ret->option[GRACE], OPTION_MAX, "-oLoginGraceTime=%u", listen->grace_s);
	snprintf(ret->option[IDLE], OPTION_MAX, "-oUnusedConnectionTimeout=%u", listen->idle_s);
	snprintf(ret->option[BANNER], OPTION_MAX, "-oBanner=%s",
		 listen->banner ? l->banner : "none");
	choose(ret->option[KEX], "-oKexAlgorithms=", kex, listen->kex);
	choose(ret->option[CIPHERS], "-oCiphers=", ciphers, listen->ciphers);
	choose(ret->option[MACS], "-oMACs=", macs, listen->macs);
}

static void learn(struct listener *l) {
	struct aaa_listen listen;
	struct stat st;

	if (aaa_client_listen(l->socket, &listen) == AAA_OK && is_sane(&listen))
		order_from(l, &listen, &l->wanted);
	if (stat(l->sshd, &st) == 0)
		l->wanted.changed = st.st_ctim;
}

static bool same(const struct order *a, const struct order *b) {
	return memcmp(a->option, b->option, sizeof(a->option)) == 0 &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* ---- the server ---- */

/* Since 9.8 the name for PAM is no longer that of the program. */
static const char pam_option[] = "-oPAMServiceName=gatehouse-sshd";

static void become_server(const struct listener *l, const struct order *order, const char *mode,
			  bool named) {
	const char *argv[7 + N_OPTIONS] = { l->sshd, mode, "-e", "-f", l->config };
	size_t n = 5;

	for (size_t i = 0; i < N_OPTIONS; i++)
		if (*order->option[i])
			argv[n++] = order->option[i];
	if (named)
		argv[n++] = pam_option;
	sigprocmask(SIG_SETMASK, &l->before, NULL);
	execv(l->sshd, (char *const *)argv);
	fprintf(stderr, "gatehouse-listener: %s: %s\n", l->sshd, strerror(errno));
	_exit(1);
}

static void be_silent(void) {
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(1);
}

/* Whether the server takes these options. */
static bool takes(const struct listener *l, const struct order *order, bool named) {
	pid_t pid = fork();
	int status;

	if (pid == 0 && named)
		be_silent();
	if (pid == 0)
		become_server(l, order, "-t", named);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void start(struct listener *l, const struct order *order) {
	bool named = takes(l, order, true);
	pid_t pid = fork();

	if (pid == 0)
		become_server(l, order, "-D", named);
	if (pid < 0)
		fprintf(stderr, "gatehouse-listener: %s\n", strerror(errno));
	l->server = pid > 0 ? pid : 0;
	l->used = *order;
}

/* The server ends when it is told; its sessions are left. */
static void stop(struct listener *l) {
	if (l->server <= 0)
		return;
	kill(l->server, SIGTERM);
	while (waitpid(l->server, NULL, 0) < 0 && errno == EINTR)
		;
	l->server = 0;
}

static void see_whether_it_runs(struct listener *l) {
	if (l->server == 0)
		return;
	if (waitpid(l->server, NULL, WNOHANG) != l->server) {
		l->good = l->used;
		return;
	}
	fputs("gatehouse-listener: the SSH server has ended\n", stderr);
	l->server = 0;
}

/* ---- changing it ---- */

static bool can_bind(int family, const struct sockaddr *addr, socklen_t len) {
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken = false;

	if (fd < 0)
		return true;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0))
		taken = bind(fd, addr, len) != 0 && errno == EADDRINUSE;
	close(fd);
	return !taken;
}

static bool port_is_free(unsigned int port) {
	const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_port = htons((uint16_t)port) };

	return can_bind(AF_INET, (const struct sockaddr *)&v4, sizeof(v4)) &&
	       can_bind(AF_INET6, (const struct sockaddr *)&v6, sizeof(v6));
}

/* Why the server cannot run like that; NULL: it can. */
static const char *objection(const struct listener *l, const struct order *order) {
	bool has_port = l->server > 0 && l->used.port == order->port;

	if (!has_port && !port_is_free(order->port))
		return "another program has the port";
	return takes(l, order, false) ? NULL : "the SSH server refuses it";
}

static bool is_possible(struct listener *l, const struct order *order) {
	const char *why = objection(l, order);

	if (why && !same(order, &l->refused)) {
		fprintf(stderr, "gatehouse-listener: port %u: %s; %s\n", order->port, why,
			l->server > 0 ? "the server stays as it is" : "no server");
		l->refused = *order;
	}
	if (!why)
		memset(&l->refused, 0, sizeof(l->refused));
	return !why;
}

static void follow(struct listener *l) {
	see_whether_it_runs(l);
	learn(l);
	(void)mkdir(EMPTY_DIR, 0755);
	if (l->server > 0 && same(&l->wanted, &l->used))
		return;
	if (is_possible(l, &l->wanted)) {
		stop(l);
		start(l, &l->wanted);
	} else if (l->server == 0 && l->good.port && objection(l, &l->good) == NULL) {
		start(l, &l->good);
	}
}

/* ---- the whole ---- */

static bool parse_options(int argc, char *argv[], struct listener *l) {
	static const struct option longs[] = { { "socket", required_argument, NULL, 's' },
					       { "sshd", required_argument, NULL, 'd' },
					       { "config", required_argument, NULL, 'c' },
					       { "banner", required_argument, NULL, 'b' },
					       { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': l->socket = optarg; break;
		case 'd': l->sshd = optarg; break;
		case 'c': l->config = optarg; break;
		case 'b': l->banner = optarg; break;
		default: return false;
		}
	}
	return optind == argc && l->sshd && l->config && l->banner;
}

int main(int argc, char *argv[]) {
	static const struct aaa_listen defaults = { .port = 22, .grace_s = 120, .idle_s = 300 };
	static const struct timespec pause = { .tv_sec = ASK_S };
	static struct listener l = { .socket = LOGIN_SOCKET };
	sigset_t ends;

	if (!parse_options(argc, argv, &l)) {
		fputs("usage: gatehouse-listener --sshd FILE --config FILE --banner FILE "
		      "[--socket PATH]\n", stderr);
		return 2;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, &l.before);
	order_from(&l, &defaults, &l.wanted);
	do {
		follow(&l);
	} while (sigtimedwait(&ends, NULL, &pause) < 0);
	stop(&l);
	return 0;
}
