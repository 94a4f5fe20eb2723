/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that are no configuration: those the daemon answers are passed on with their words in
 * full; output that is watched as it comes ends at a key, too, which is then the first of the next
 * line, so that `diagnose debug disable` can be typed as where the output runs in the background;
 * ping is the system's own program, run as the administrator with a fixed argument list, its lines
 * rewritten one by one to the form that FortiOS prints; exit ends the session.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/client.h"
#include "cli/commands.h"

#define REMOTE_WORDS_MAX 32
#define HOST_MAX	 255

static void remote_text(void *arg, const char *text, size_t len) {
	const struct shell *sh = arg;

	out_bytes(sh->out, text, len);
	out_flush(sh->out); /* the next piece may be long in coming */
}

static bool remote_enough(void *arg) {
	const struct shell *sh = arg;

	return out_stopped(sh->out);
}

static bool watch_enough(void *arg) {
	const struct shell *sh = arg;
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };

	return out_stopped(sh->out) || (sh->typing && poll(&key, 1, 0) > 0);
}

/* After Ctrl-C: what the command has to say about that is wanted, and no filter is for it. */
static void remote_last(void *arg, const char *text, size_t len) {
	const struct shell *sh = arg;
	AUTO_STR struct str all = STR_INIT;

	out_begin(sh->out);
	str_add_char(&all, '\n');
	str_add_bytes(&all, text, len);
	out_say(sh->out, str_text(&all));
}

static int remote_run(struct shell *sh, const struct call *call, bool (*enough)(void *arg),
		      struct err *err) {
	const struct client_output out = { remote_text, enough, sh, sh->json, remote_last };
	char *words[REMOTE_WORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < call->n_words; i++)
		words[n++] = (char *)call->words[i];
	for (size_t i = 0; i < call->argc && n < REMOTE_WORDS_MAX; i++)
		words[n++] = call->argv[i];
	return client_run(sh->client, n, words, &out, err);
}

int cmd_remote(struct shell *sh, const struct call *call, struct err *err) {
	return remote_run(sh, call, remote_enough, err);
}

int cmd_watch(struct shell *sh, const struct call *call, struct err *err) {
	return remote_run(sh, call, watch_enough, err);
}

/* ---- clearing sessions ---- */

static void take_answer(void *arg, const char *text, size_t len) {
	str_add_bytes(arg, text, len);
}

static bool never_enough(void *arg) {
	(void)arg;
	return false;
}

/* Without a filter everyone is cut off, the administrator too: it is asked first, at a terminal. */
int cmd_session_clear(struct shell *sh, const struct call *call, struct err *err) {
	AUTO_STR struct str answer = STR_INIT;
	AUTO_FREE char *warning = NULL;
	const struct client_output out = { take_answer, never_enough, &answer, false, NULL };
	char *words[] = { (char *)"diagnose", (char *)"sys", (char *)call->words[2],
			  (char *)"clear", (char *)"unfiltered-count" };
	int rc = client_run(sh->client, ARRAY_LEN(words), words, &out, err);

	if (rc == ERR_NOT_FOUND)
		return cmd_remote(sh, call, err);
	if (rc)
		return rc;
	warning = xasprintf("No filter spares any: this ends all %.*s sessions.",
			    (int)strcspn(str_text(&answer), "\n"), str_text(&answer));
	return shell_confirm(sh, warning) ? cmd_remote(sh, call, err) : 0;
}

/* ---- ping ---- */

/* What ping's last lines tell, for the error that the administrator sees. */
struct ping {
	struct shell *sh;
	bool no_host, no_route;
};

static void ping_line(struct ping *p, const char *line) {
	char name[HOST_MAX + 1], addr[64], loss[32];
	unsigned int bytes, seq, ttl, sent, received;
	double time, min, avg, max;
	struct out *out = p->sh->out;

	if (sscanf(line, "PING %255s (%63[^)])", name, addr) == 2)
		out_printf(out, "PING %s (%s): 56 data bytes\n", name, addr);
	else if (sscanf(line, "%u bytes from %63[^:]: icmp_seq=%u ttl=%u time=%lf", &bytes, addr,
			&seq, &ttl, &time) == 5)
		out_printf(out, "%u bytes from %s: icmp_seq=%u ttl=%u time=%.1f ms\n", bytes, addr,
			   seq > 0 ? seq - 1 : 0, ttl, time);
	else if (sscanf(line, "%u packets transmitted, %u received", &sent, &received) == 2) {
		snprintf(loss, sizeof(loss), "%u%%", sent ? (sent - received) * 100 / sent : 0);
		out_printf(out, "%u packets transmitted, %u packets received, %s packet loss\n",
			   sent, received, loss);
	} else if (sscanf(line, "rtt min/avg/max/mdev = %lf/%lf/%lf", &min, &avg, &max) == 3)
		out_printf(out, "round-trip min/avg/max = %.1f/%.1f/%.1f ms\n", min, avg, max);
	else if (strstr(line, "not known") || strstr(line, "name resolution") ||
		 strstr(line, "associated with"))
		p->no_host = true;
	else if (strstr(line, "unreachable") || strstr(line, "not permitted") ||
		 strstr(line, "Invalid argument"))
		p->no_route |= strncmp(line, "From ", 5) != 0;
	else if (strncmp(line, "--- ", 4) == 0)
		out_printf(out, "\n%s\n", line);
	out_flush(out);
}

/* In the child: never returns. */
static void ping_exec(const char *host, int fd) {
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
	    dup2(fd, STDERR_FILENO) < 0)
		_exit(127);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setenv("LC_ALL", "C", 1);
	execlp("ping", "ping", "-4", "-n", "-c", "5", "--", host, (char *)NULL);
	_exit(127);
}

static int ping_wait(pid_t pid) {
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void ping_read(struct ping *p, int fd) {
	FILE *in = fdopen(fd, "r");
	char line[1024];

	if (!in) {
		close(fd);
		return;
	}
	for (;;) {
		if (fgets(line, sizeof(line), in)) {
			line[strcspn(line, "\n")] = '\0';
			ping_line(p, line);
		} else if (ferror(in) && errno == EINTR) {
			clearerr(in);
		} else {
			break;
		}
	}
	fclose(in);
}

static bool ping_host_is_sane(const char *host) {
	if (!*host || *host == '-' || strlen(host) > HOST_MAX)
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_", *host))
			return false;
	return true;
}

int cmd_ping(struct shell *sh, const struct call *call, struct err *err) {
	struct ping p = { .sh = sh };
	const char *host = call->argv[0];
	int fds[2];
	pid_t pid;
	int status;

	if (!ping_host_is_sane(host))
		return grammar_refuse(host, err);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_FILE, "ping cannot be run: %s", strerror(errno));
	out_flush(sh->out);
	pid = fork();
	if (pid == 0)
		ping_exec(host, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_set(err, ERR_FILE, "ping cannot be run: %s", strerror(errno));
	}
	ping_read(&p, fds[0]);
	status = ping_wait(pid);
	if (p.no_host)
		return err_set(err, ERR_NOT_FOUND, "Unable to resolve hostname.");
	if (p.no_route)
		return err_set(err, ERR_VALUE, "sendto failed");
	if (status == 127)
		return err_set(err, ERR_FILE, "ping is not installed");
	return 0;
}

/* ---- exit ---- */

int cmd_exit(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	(void)err;
	sh->quit = true;
	return 0;
}

int cmd_exit_inside(struct shell *sh, const struct call *call, struct err *err) {
	(void)sh;
	(void)call;
	return err_set(err, ERR_UNKNOWN, "please use 'end' to return to root shell");
}
