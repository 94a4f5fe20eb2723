/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused: owns the configuration database, renders it to the kernel, answers the shell.
 *
 * This file only puts parts together: options, privileges, engine, backends, commands, event loop.
 * It runs in the network namespace it is started in and manages that one.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backends/arp.h"
#include "backends/barrier.h"
#include "backends/cmd_flow.h"
#include "backends/cmd_metrics.h"
#include "backends/cmd_session.h"
#include "backends/cmd_sniffer.h"
#include "backends/commands_kernel.h"
#include "backends/helper.h"
#include "backends/iface.h"
#include "backends/managed.h"
#include "backends/netns.h"
#include "backends/nft.h"
#include "backends/recheck.h"
#include "backends/route.h"
#include "backends/sysctl.h"
#include "backends/takeup.h"
#include "backends/traffic.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/log.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/notify.h"
#include "cfgdb/base/privdrop.h"
#include "cfgdb/cmd_log.h"
#include "cfgdb/commands.h"
#include "cfgdb/ctl.h"
#include "cfgdb/engine.h"
#include "cfgdb/logs.h"
#include "cfgdb/logsend.h"
#include "cfgdb/server.h"

#define COMMANDS_MAX 64
#define EXIT_OTHER 3 /* another daemon runs here; the unit file knows it, too */
#define LOCK_TRIES 100 /* of 50 ms */
#define SYSCTL_FILE "sysctl.saved" /* in the state directory: kernel settings before ours */
#define BARRIER_FILE "managed" /* likewise: interfaces to close when the database does not open */
#define LOG_DIRECTORY "log"        /* in the state directory */

struct options {
	const char *state_dir, *run_dir, *user, *group;
	int (*task)(const struct options *opt, struct err *err); /* NULL: it serves */
};

struct daemon {
	struct options opt;
	struct engine *engine;
	struct event_base *base;
	struct server *server;
	struct barrier *barrier;
	struct nft *nft;
	struct iface *iface;
	struct route *route;
	struct arp *arp;
	struct sysctl *sysctl;
	struct recheck *recheck;
	struct session_counts session_counts;
	struct metrics_sources metrics;
	struct monitor *monitor;
	struct logs *logs;
	struct traffic *traffic;
	struct event *log_denied, *log_sessions; /* fire when there is something to log */
	struct event *report;         /* of what the log had to leave out */
	struct event *schedule;       /* fires when a schedule next changes the rules */
	struct event *network;        /* fires when links, addresses or routes change */
	struct event *rules;          /* fires when others change rules */
	struct event *restore;        /* fires when ours may be put in place again */
	struct event *sessions;       /* fires when sessions are to be judged further */
	struct command commands[COMMANDS_MAX];
	size_t n_commands;
};

static const char usage[] =
	"usage: gatehoused [--state-dir DIR] [--run-dir DIR] [--user USER] [--group GROUP]\n"
	"       gatehoused --release [...]   take rules, routes and kernel settings back\n"
	"       gatehoused --accept-database [...]   take the database as it stands\n";

static int release(const struct options *opt, struct err *err);
static int accept_database(const struct options *opt, struct err *err);

static bool parse_options(int argc, char *argv[], struct options *opt) {
	static const struct option longs[] = {
		{ "state-dir", required_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "user", required_argument, NULL, 'u' },
		{ "group", required_argument, NULL, 'g' },
		{ "release", no_argument, NULL, 'x' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "accept-database", no_argument, NULL, 'a' },
		{ 0 },
	};
	int c;

	*opt = (struct options){ .state_dir = "/var/lib/gatehouse",
				  .run_dir = "/run/gatehouse",
				  .user = "gatehouse",
				  .group = "gatehouse" };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt->state_dir = optarg; break;
		case 'r': opt->run_dir = optarg; break;
		case 'u': opt->user = optarg; break;
		case 'g': opt->group = optarg; break;
		case 'x': opt->task = release; break;
		case 'a': opt->task = accept_database; break;
		case 'v': printf("gatehoused %s\n", PACKAGE_VERSION); exit(0);
		case 'h': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	return optind == argc;
}

/* ---- directories and privileges ---- */

/* Make a directory if it is missing; ours, closed to others as mode says. */
static int own_directory(const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *err) {
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	if (geteuid() == 0 && (chown(path, uid, gid) != 0 || chmod(path, mode) != 0))
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	return 0;
}

/*
 * Two daemons on one directory would overwrite each other: the lock lives with the process. A
 * predecessor that was killed may need a moment to be gone.
 */
static int lock_directory(const char *dir, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/lock", dir);
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return err_set(err, ERR_LOCKED, "%s: another gatehoused uses this directory", dir);
}

/* One daemon here. Who holds the lock without being one is told of, and does not stop us. */
static int lock_namespace(struct err *err) {
	int rc = netns_lock(err);

	if (rc != ERR_PERMISSION)
		return rc;
	log_line(LOG_LEVEL_WARNING, "gatehoused: %s", err->text);
	return 0;
}

/*
 * Before anything that can fail: should the configuration not be there, what it managed is closed.
 */
static void close_managed(const struct options *opt) {
	AUTO_FREE char *managed = xasprintf("%s/%s", opt->state_dir, BARRIER_FILE);
	struct err err = { 0 };

	if (barrier_raise(managed, &err) != 0)
		log_line(LOG_LEVEL_ERROR, "gatehoused: interfaces are not closed: %s", err.text);
}

static int settle(const struct options *opt, struct err *err) {
	static const unsigned int caps[] = { CAP_NET_ADMIN, CAP_NET_RAW };
	uid_t uid;
	gid_t gid;
	int rc = privdrop_ids(opt->user, opt->group, &uid, &gid, err);

	if (rc == 0)
		rc = own_directory(opt->state_dir, 0700, uid, gid, err);
	if (rc == 0)
		rc = own_directory(opt->run_dir, 0755, uid, gid, err);
	if (rc == 0)
		rc = privdrop(uid, gid, caps, ARRAY_LEN(caps), err);
	umask(077);
	if (rc == 0)
		rc = lock_directory(opt->state_dir, err);
	if (rc == 0 && strcmp(opt->state_dir, opt->run_dir) != 0)
		rc = lock_directory(opt->run_dir, err);
	return rc;
}

/* ---- parts ---- */

static void add_commands(struct daemon *d, const struct command *commands, size_t n, void *ctx) {
	for (size_t i = 0; i < n && d->n_commands < COMMANDS_MAX; i++) {
		d->commands[d->n_commands] = commands[i];
		d->commands[d->n_commands++].ctx = ctx;
	}
}

static void on_not_taken_up(const char *link, const struct err *why) {
	log_line(LOG_LEVEL_WARNING, "gatehoused: interface %s is not taken up: %s", link,
		 why->text);
}

/* ---- sessions: judged again when rules have changed ---- */

#define SESSIONS_PAUSE_S 5  /* before it is tried again */
#define SESSIONS_ROUTES_S 1 /* for routes to come: they seldom come alone */

static void sessions_arm(struct daemon *d, long pause_s) {
	const struct timeval wait = { .tv_sec = pause_s };

	if (recheck_busy(d->recheck))
		event_add(d->sessions, &wait);
}

static void sessions_look(struct daemon *d) {
	recheck_look(d->recheck);
	sessions_arm(d, 0);
}

static void on_sessions(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;
	struct err err = { 0 };
	int rc = recheck_step(d->recheck, &err);

	(void)fd;
	(void)what;
	if (rc)
		log_line(LOG_LEVEL_ERROR, "gatehoused: sessions: %s", err.text);
	sessions_arm(d, rc ? SESSIONS_PAUSE_S : 0);
}

/* ---- schedules: rules that change by the clock ---- */

static void schedule_arm(struct daemon *d) {
	struct timeval wait = { .tv_sec = nft_wait(d->nft, time(NULL)) };

	event_add(d->schedule, &wait);
}

static void on_schedule(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	if (nft_is_due(d->nft, time(NULL)) && nft_refresh(d->nft, d->engine->model, &err) != 0)
		log_line(LOG_LEVEL_ERROR, "gatehoused: schedules: %s", err.text);
	schedule_arm(d);
	sessions_look(d);
}

/* Last among the backends, when all that sessions are judged by is there. */
static void after_commit(void *ctx) {
	schedule_arm(ctx);
	sessions_look(ctx);
}

/* ---- links and addresses: what the kernel drops with a link comes back with it ---- */

static void reconcile_network(struct daemon *d) {
	struct err err = { 0 };

	if (iface_reconcile(d->iface, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: interfaces: %s", err.text);
	if (sysctl_reconcile(d->sysctl, d->engine->model, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: settings: %s", err.text);
	if (route_reconcile(d->route, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: routes: %s", err.text);
	if (arp_reconcile(d->arp, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: ARP: %s", err.text);
	traffic_routes_changed(d->traffic);
}

static void on_network(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (monitor_event(d->monitor))
		reconcile_network(d);
	recheck_look_at_routes(d->recheck);
	if (!event_pending(d->sessions, EV_TIMEOUT, NULL))
		sessions_arm(d, SESSIONS_ROUTES_S);
}

/* ---- rules that someone else changed ---- */

#define RESTORE_PAUSE_S 2 /* between two repairs: nobody can keep us busy with them */

static void restore_rules(struct daemon *d) {
	const struct timeval pause = { .tv_sec = RESTORE_PAUSE_S };
	struct err err = { 0 };

	if (nft_restore(d->nft, &err) != 0)
		log_line(LOG_LEVEL_ERROR, "gatehoused: rules: %s", err.text);
	event_add(d->restore, &pause);
	sessions_look(d);
}

/* The pause is over; what was changed in it is put right now. */
static void on_restore(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (nft_is_unsure(d->nft))
		restore_rules(d);
}

static void on_rules(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;
	struct nft_intruder who;

	(void)fd;
	(void)what;
	if (!nft_touched(d->nft, &who))
		return;
	log_line(LOG_LEVEL_WARNING,
		 "gatehoused: table inet gatehouse was changed by %s (process %u): it is put right",
		 who.name[0] ? who.name : "another program", who.pid);
	if (!event_pending(d->restore, EV_TIMEOUT, NULL))
		restore_rules(d);
}

/* ---- the log ---- */

#define REPORT_S 10

static void on_denied(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	traffic_take_denied(d->traffic);
}

static void on_traffic(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	traffic_take_sessions(d->traffic);
}

/* Another program may take denied packets, and stop doing so. */
static void watch_denied(struct daemon *d) {
	int fd = traffic_denied_fd(d->traffic);

	if (d->log_denied || fd < 0)
		return;
	d->log_denied = event_new(d->base, fd, EV_READ | EV_PERSIST, on_denied, d);
	if (d->log_denied)
		event_add(d->log_denied, NULL);
}

static void on_report(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	if (traffic_report(d->traffic, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: traffic log: %s", err.text);
	watch_denied(d);
	if (logs_report(d->logs, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: log: %s", err.text);
}

static int open_logs(struct daemon *d, struct err *err) {
	AUTO_FREE char *dir = xasprintf("%s/%s", d->opt.state_dir, LOG_DIRECTORY);
	const struct timeval every = { .tv_sec = REPORT_S };

	d->logs = logs_open(dir, LOGSEND_LOCAL, d->engine);
	d->traffic = traffic_new(d->nft, d->logs, err);
	if (!d->traffic)
		return ERR_KERNEL;
	d->log_sessions = event_new(d->base, traffic_sessions_fd(d->traffic), EV_READ | EV_PERSIST,
				    on_traffic, d);
	d->report = event_new(d->base, -1, EV_PERSIST, on_report, d);
	if (!d->log_sessions || !d->report || event_add(d->log_sessions, NULL) != 0 ||
	    event_add(d->report, &every) != 0)
		return err_set(err, ERR_STORE, "no event loop");
	watch_denied(d);
	return 0;
}

static void close_logs(struct daemon *d) {
	struct event *const events[] = { d->log_denied, d->log_sessions, d->report };

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i])
			event_free(events[i]);
	traffic_free(d->traffic);
	logs_close(d->logs);
}

/* ---- backends, in the order in which they apply ---- */

static int open_backends(struct daemon *d, struct err *err) {
	AUTO_FREE char *saved = xasprintf("%s/%s", d->opt.state_dir, SYSCTL_FILE);
	AUTO_FREE char *managed = xasprintf("%s/%s", d->opt.state_dir, BARRIER_FILE);

	d->barrier = barrier_new(managed);
	d->nft = nft_new(err);
	d->iface = d->nft ? iface_new(err) : NULL;
	d->route = d->iface ? route_new(err) : NULL;
	d->arp = d->route ? arp_new(err) : NULL;
	d->recheck = d->arp ? recheck_new(d->nft, err) : NULL;
	d->monitor = d->recheck ? monitor_open(err) : NULL;
	if (!d->monitor)
		return ERR_KERNEL;
	d->sysctl = sysctl_new(saved);
	d->schedule = evtimer_new(d->base, on_schedule, d);
	d->network =
		event_new(d->base, monitor_fd(d->monitor), EV_READ | EV_PERSIST, on_network, d);
	d->rules = event_new(d->base, nft_fd(d->nft), EV_READ | EV_PERSIST, on_rules, d);
	d->restore = evtimer_new(d->base, on_restore, d);
	d->sessions = evtimer_new(d->base, on_sessions, d);
	if (!d->schedule || !d->network || !d->rules || !d->restore || !d->sessions ||
	    event_add(d->network, NULL) != 0 || event_add(d->rules, NULL) != 0)
		return err_set(err, ERR_STORE, "no event loop");
	return 0;
}

/*
 * A machine that died in its first commit forwards for a configuration that never was: that ends
 * before the rules do.
 */
static int settle_settings(struct daemon *d, struct err *err) {
	AUTO_FREE char *saved = xasprintf("%s/%s", d->opt.state_dir, SYSCTL_FILE);
	struct names managed = managed_interfaces(d->engine->model);
	size_t n = managed.n;

	names_done(&managed);
	return n > 0 ? 0 : sysctl_restore(saved, err);
}

/* Sessions go on without a helper that is missing; who waits for what it lets in should know. */
static void tell_missing_helpers(const struct daemon *d) {
	for (int i = 0; i < HELPERS; i++)
		if (!(nft_helpers(d->nft) & 1u << i))
			log_line(LOG_LEVEL_WARNING,
				 "gatehoused: this kernel has no session helper %s for protocol %u",
				 helper_table[i].name, helper_table[i].proto);
}

static int start_kernel(struct daemon *d, struct err *err) {
	if (open_backends(d, err) != 0 || open_logs(d, err) != 0)
		return ERR_KERNEL;
	struct backend backends[] = {
		barrier_backend(d->barrier),
		nft_backend(d->nft),
		sysctl_backend(d->sysctl),
		iface_backend(d->iface),
		route_backend(d->route),
		arp_backend(d->arp),
		logs_backend(d->logs),
		traffic_backend(d->traffic),
		{ .name = "sessions", .finish = after_commit, .ctx = d },
	};

	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		engine_add_backend(d->engine, &backends[i]);
	if (settle_settings(d, err) != 0 || engine_start(d->engine, err) != 0)
		return ERR_KERNEL;
	tell_missing_helpers(d);
	after_commit(d);
	return 0;
}

static void stop_kernel(struct daemon *d) {
	struct event *const events[] = { d->schedule, d->network, d->rules, d->restore,
					 d->sessions };

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i])
			event_free(events[i]);
	monitor_close(d->monitor);
	recheck_free(d->recheck);
	sysctl_free(d->sysctl);
	arp_free(d->arp);
	route_free(d->route);
	iface_free(d->iface);
	nft_free(d->nft);
	barrier_free(d->barrier);
}

/* Give the machine back: our rules, routes and kernel settings go, addresses and links stay. */
static int release(const struct options *opt, struct err *err) {
	AUTO_FREE char *saved = xasprintf("%s/%s", opt->state_dir, SYSCTL_FILE);
	AUTO_FREE char *managed = xasprintf("%s/%s", opt->state_dir, BARRIER_FILE);
	struct nft *nft = nft_new(err);
	struct route *route = nft ? route_new(err) : NULL;
	struct arp *arp = route ? arp_new(err) : NULL;
	int rc = arp ? sysctl_restore(saved, err) : ERR_KERNEL; /* it stops forwarding first */

	if (rc == 0)
		rc = nft_remove(nft, err);
	if (rc == 0)
		rc = route_remove(route, err);
	if (rc == 0)
		rc = arp_remove(arp, err);
	if (rc == 0)
		rc = barrier_forget(managed, err);
	arp_free(arp);
	route_free(route);
	nft_free(nft);
	return rc;
}

static int accept_database(const struct options *opt, struct err *err) {
	return engine_accept(opt->state_dir, err);
}

static int start_server(struct daemon *d, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", d->opt.run_dir, CTL_SOCKET_NAME);
	struct server_config config = { .path = path,
					.group = d->opt.group,
					.commands = d->commands,
					.n_commands = d->n_commands,
					.version = PACKAGE_VERSION };

	d->server = server_new(d->base, d->engine, &config, err);
	return d->server ? 0 : ERR_STORE;
}

static int start(struct daemon *d, struct err *err) {
	const struct command *commands;
	size_t n;

	d->base = event_base_new();
	if (!d->base)
		return err_set(err, ERR_STORE, "no event loop");
	d->engine = engine_open(d->opt.state_dir, err);
	if (!d->engine)
		return ERR_STORE;
	if (takeup_links(d->engine, on_not_taken_up, err) != 0 || start_kernel(d, err) != 0)
		return ERR_KERNEL;
	commands = commands_config(&n);
	add_commands(d, commands, n, d->engine);
	commands = commands_kernel(&n);
	add_commands(d, commands, n, d->nft);
	commands = commands_session(&n);
	add_commands(d, commands, n, &d->session_counts);
	d->metrics = (struct metrics_sources){ d->nft, d->engine };
	commands = commands_metrics(&n);
	add_commands(d, commands, n, &d->metrics);
	commands = commands_log(&n);
	add_commands(d, commands, n, d->logs);
	commands = commands_flow(&n);
	add_commands(d, commands, n, d->nft);
	commands = commands_sniffer(&n);
	add_commands(d, commands, n, NULL);
	return start_server(d, err);
}

static void on_signal(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(d->base);
}

static void run(struct daemon *d) {
	struct event *term = evsignal_new(d->base, SIGTERM, on_signal, d);
	struct event *intr = evsignal_new(d->base, SIGINT, on_signal, d);
	struct err err = { 0 };

	if (term && intr && event_add(term, NULL) == 0 && event_add(intr, NULL) == 0) {
		log_line(LOG_LEVEL_INFO, "gatehoused %s: ready, serial %s, revision %llu",
			 PACKAGE_VERSION, d->engine->serial,
			 (unsigned long long)d->engine->revision);
		if (notify_ready(&err) != 0)
			log_line(LOG_LEVEL_WARNING, "gatehoused: %s", err.text);
		event_base_dispatch(d->base);
	}
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
}

static void stop(struct daemon *d) {
	server_free(d->server);
	close_logs(d);
	stop_kernel(d);
	engine_close(d->engine);
	if (d->base)
		event_base_free(d->base);
}

int main(int argc, char *argv[]) {
	struct daemon d = { 0 };
	struct err err = { 0 };
	int rc;

	if (!parse_options(argc, argv, &d.opt)) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	fault_init();
	rc = lock_namespace(&err);
	if (rc == 0 && !d.opt.task)
		close_managed(&d.opt);
	if (rc == 0)
		rc = settle(&d.opt, &err);
	if (rc == 0)
		rc = d.opt.task ? d.opt.task(&d.opt, &err) : start(&d, &err);
	if (rc == 0 && !d.opt.task)
		run(&d);
	if (rc)
		log_line(LOG_LEVEL_ERROR, "gatehoused: %s", err.text);
	stop(&d);
	if (rc == ERR_LOCKED)
		return EXIT_OTHER;
	return rc ? 1 : 0;
}
