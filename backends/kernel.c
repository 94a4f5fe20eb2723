/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens the parts, gives them to the engine in the order in which they apply, and keeps them right
 * between commits: rules that change by the clock or by another program, what the kernel drops with
 * a link, sessions that new rules no longer allow, the log.
 *
 * The order matters: what is closed closes first (barrier, rules), then comes what leads packets
 * through (settings, addresses, routes, ARP, the way to other members). Sessions are judged last,
 * when all that they are judged by is there. Which interfaces stay down for a while is known when
 * rules have been compared with the kernel, and before links are.
 */
#include "backends/kernel.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "backends/arp.h"
#include "backends/barrier.h"
#include "backends/changes.h"
#include "backends/cmd_flow.h"
#include "backends/cmd_hardware.h"
#include "backends/cmd_link.h"
#include "backends/cmd_metrics.h"
#include "backends/cmd_performance.h"
#include "backends/cmd_port.h"
#include "backends/cmd_replication.h"
#include "backends/cmd_session.h"
#include "backends/cmd_sniffer.h"
#include "backends/cmd_top.h"
#include "backends/commands_kernel.h"
#include "backends/handover.h"
#include "backends/helper.h"
#include "backends/hold.h"
#include "backends/iface.h"
#include "backends/managed.h"
#include "backends/nft.h"
#include "backends/recheck.h"
#include "backends/replication.h"
#include "backends/route.h"
#include "backends/sampler.h"
#include "backends/sysctl.h"
#include "backends/traffic.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_log.h"
#include "cfgdb/logs/audit.h"
#include "cfgdb/logs/logs.h"
#include "cfgdb/logs/logsend.h"

/* In the state directory. */
#define SYSCTL_FILE "sysctl.saved" /* kernel settings before ours */
#define BARRIER_FILE "managed"     /* interfaces to close when the database does not open */
#define LOG_DIRECTORY "log"

#define SAY_MAX 600

struct kernel {
	struct event_base *base;
	struct engine *engine;
	char *state_dir;
	void (*tell)(int priority, const char *text);
	struct barrier *barrier;
	struct nft *nft;
	struct hold *hold;
	struct iface *iface;
	struct route *route;
	struct arp *arp;
	struct handover *handover;
	bool told_no_tunnel;
	struct sysctl *sysctl;
	struct recheck *recheck;
	struct monitor *monitor;
	struct logs *logs;
	struct audit *audit;
	struct traffic *traffic;
	struct fib *ways;             /* for all who tell where sessions go */
	struct replication *replication;
	struct sampler *sampler;
	struct session_sources sessions_shown;
	struct metrics_sources metrics;
	struct changes *changes;
	struct event *log_denied, *log_sessions; /* fire when there is something to log */
	struct event *report;         /* of what the log had to leave out */
	struct event *schedule;       /* fires when a schedule next changes the rules */
	struct event *network;        /* fires when links, addresses or routes change */
	struct event *rules;          /* fires when others change rules */
	struct event *restore;        /* fires when ours may be put in place again */
	struct event *sessions;       /* fires when sessions are to be judged further */
};

static char *state_path(const char *state_dir, const char *name) {
	return xasprintf("%s/%s", state_dir, name);
}

static void say(const struct kernel *k, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct kernel *k, int priority, const char *fmt, ...) {
	char text[SAY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->tell(priority, text);
}

/* ---- sessions: judged again when rules have changed ---- */

#define SESSIONS_PAUSE_S 5  /* before it is tried again */
#define SESSIONS_ROUTES_S 1 /* for routes to come: they seldom come alone */

static void sessions_arm(struct kernel *k, long pause_s) {
	const struct timeval wait = { .tv_sec = pause_s };

	if (recheck_busy(k->recheck))
		event_add(k->sessions, &wait);
}

static void sessions_look(struct kernel *k) {
	recheck_look(k->recheck);
	sessions_arm(k, 0);
}

static void on_sessions(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;
	struct err err = { 0 };
	int rc = recheck_step(k->recheck, &err);

	(void)fd;
	(void)what;
	if (rc)
		say(k, LOG_ERR, "sessions: %s", err.text);
	sessions_arm(k, rc ? SESSIONS_PAUSE_S : 0);
}

/* ---- schedules: rules that change by the clock ---- */

static void schedule_arm(struct kernel *k) {
	struct timeval wait = { .tv_sec = nft_wait(k->nft, time(NULL)) };

	event_add(k->schedule, &wait);
}

static void on_schedule(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	if (nft_is_due(k->nft, time(NULL)) && nft_refresh(k->nft, k->engine->model, &err) != 0)
		say(k, LOG_ERR, "schedules: %s", err.text);
	schedule_arm(k);
	sessions_look(k);
}

/* Sessions are shared without it; whose packets come by different units should know. */
static void tell_no_tunnel(struct kernel *k) {
	bool lacks = handover_lacks_tunnel(k->handover);

	if (lacks && !k->told_no_tunnel)
		say(k, LOG_WARNING,
		    "this kernel has no VXLAN: packets are not handed over to other members");
	k->told_no_tunnel = lacks;
}

/* Last among the backends, when all that sessions are judged by is there. */
static void after_commit(void *ctx) {
	const struct kernel *k = ctx;

	replication_update(k->replication);
	hold_update(k->hold, k->engine->model);
	schedule_arm(ctx);
	sessions_look(ctx);
	tell_no_tunnel(ctx);
}

/* ---- links and addresses: what the kernel drops with a link comes back with it ---- */

static void reconcile_network(struct kernel *k) {
	struct err err = { 0 };

	if (iface_reconcile(k->iface, &err) != 0)
		say(k, LOG_WARNING, "interfaces: %s", err.text);
	if (sysctl_reconcile(k->sysctl, k->engine->model, &err) != 0)
		say(k, LOG_WARNING, "settings: %s", err.text);
	if (route_reconcile(k->route, &err) != 0)
		say(k, LOG_WARNING, "routes: %s", err.text);
	if (arp_reconcile(k->arp, &err) != 0)
		say(k, LOG_WARNING, "ARP: %s", err.text);
	if (handover_reconcile(k->handover, &err) != 0)
		say(k, LOG_WARNING, "members: %s", err.text);
}

/* ---- interfaces that wait for sessions ---- */

/* Rules that were there say that the unit has been running, and so have its interfaces. */
static int hold_start(void *ctx, const struct commit *commit, struct err *err) {
	const struct kernel *k = ctx;

	(void)err;
	if (!nft_was_there(k->nft))
		hold_begin(k->hold, commit->model);
	return 0;
}

static void on_let_go(void *arg) {
	reconcile_network(arg);
}

static int open_hold(struct kernel *k, const struct kernel_config *config, struct err *err) {
	const struct hold_config c = { .base = k->base,
				       .relay = config->relay,
				       .wait_s = config->sync_wait_s,
				       .tell = k->tell,
				       .let_go = on_let_go,
				       .arg = k };

	k->hold = hold_new(&c, err);
	return k->hold ? 0 : ERR_STORE;
}

static void on_network(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	if (monitor_event(k->monitor))
		reconcile_network(k);
	recheck_look_at_routes(k->recheck);
	if (!event_pending(k->sessions, EV_TIMEOUT, NULL))
		sessions_arm(k, SESSIONS_ROUTES_S);
}

/* ---- rules that someone else changed ---- */

#define RESTORE_PAUSE_S 2 /* between two repairs: nobody can keep us busy with them */

static void restore_rules(struct kernel *k) {
	const struct timeval pause = { .tv_sec = RESTORE_PAUSE_S };
	struct err err = { 0 };

	if (nft_restore(k->nft, &err) != 0)
		say(k, LOG_ERR, "rules: %s", err.text);
	event_add(k->restore, &pause);
	sessions_look(k);
}

/* The pause is over; what was changed in it is put right now. */
static void on_restore(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	if (nft_is_unsure(k->nft))
		restore_rules(k);
}

static void on_rules(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;
	struct nft_intruder who;

	(void)fd;
	(void)what;
	if (!nft_touched(k->nft, &who))
		return;
	say(k, LOG_WARNING, "table inet gatehouse was changed by %s (process %u): it is put right",
	    who.name[0] ? who.name : "another program", who.pid);
	if (!event_pending(k->restore, EV_TIMEOUT, NULL))
		restore_rules(k);
}

/* ---- the log ---- */

#define REPORT_S 10

static void on_denied(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	traffic_take_denied(k->traffic);
}

static void on_traffic(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	traffic_take_sessions(k->traffic);
}

/* Another program may take denied packets, and stop doing so. */
static void watch_denied(struct kernel *k) {
	int fd = traffic_denied_fd(k->traffic);

	if (k->log_denied || fd < 0)
		return;
	k->log_denied = event_new(k->base, fd, EV_READ | EV_PERSIST, on_denied, k);
	if (k->log_denied)
		event_add(k->log_denied, NULL);
}

static void on_report(evutil_socket_t fd, short what, void *arg) {
	struct kernel *k = arg;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	if (traffic_report(k->traffic, &err) != 0)
		say(k, LOG_WARNING, "traffic log: %s", err.text);
	watch_denied(k);
	audit_report(k->audit);
	if (logs_report(k->logs, &err) != 0)
		say(k, LOG_WARNING, "log: %s", err.text);
}

static int open_logs(struct kernel *k, struct err *err) {
	AUTO_FREE char *dir = state_path(k->state_dir, LOG_DIRECTORY);
	const struct timeval every = { .tv_sec = REPORT_S };

	k->logs = logs_open(dir, LOGSEND_LOCAL, k->engine);
	k->audit = audit_new(k->logs, moment_now);
	k->ways = fib_open(err);
	k->traffic = k->ways ? traffic_new(k->nft, k->logs, k->ways, err) : NULL;
	if (!k->traffic)
		return ERR_KERNEL;
	k->log_sessions = event_new(k->base, traffic_sessions_fd(k->traffic), EV_READ | EV_PERSIST,
				    on_traffic, k);
	k->report = event_new(k->base, -1, EV_PERSIST, on_report, k);
	if (!k->log_sessions || !k->report || event_add(k->log_sessions, NULL) != 0 ||
	    event_add(k->report, &every) != 0)
		return err_set(err, ERR_STORE, "no event loop");
	watch_denied(k);
	return 0;
}

static int open_replication(struct kernel *k, const struct kernel_config *config,
			    struct err *err) {
	const struct replication_config c = { .base = k->base,
					      .engine = k->engine,
					      .relay = config->relay,
					      .state_dir = k->state_dir,
					      .tell = k->tell };

	k->replication = replication_new(&c, err);
	return k->replication ? 0 : ERR_STORE;
}

/* ---- backends, in the order in which they apply ---- */

static int open_backends(struct kernel *k, struct err *err) {
	AUTO_FREE char *saved = state_path(k->state_dir, SYSCTL_FILE);
	AUTO_FREE char *managed = state_path(k->state_dir, BARRIER_FILE);

	k->barrier = barrier_new(managed);
	k->nft = nft_new(err);
	k->iface = k->nft ? iface_new(k->hold, err) : NULL;
	k->route = k->iface ? route_new(err) : NULL;
	k->arp = k->route ? arp_new(err) : NULL;
	k->handover = k->arp ? handover_new(err) : NULL;
	k->recheck = k->handover ? recheck_new(k->nft, err) : NULL;
	k->monitor = k->recheck ? monitor_open(err) : NULL;
	if (!k->monitor)
		return ERR_KERNEL;
	k->sysctl = sysctl_new(saved);
	k->schedule = evtimer_new(k->base, on_schedule, k);
	k->network =
		event_new(k->base, monitor_fd(k->monitor), EV_READ | EV_PERSIST, on_network, k);
	k->rules = event_new(k->base, nft_fd(k->nft), EV_READ | EV_PERSIST, on_rules, k);
	k->restore = evtimer_new(k->base, on_restore, k);
	k->sessions = evtimer_new(k->base, on_sessions, k);
	if (!k->schedule || !k->network || !k->rules || !k->restore || !k->sessions ||
	    event_add(k->network, NULL) != 0 || event_add(k->rules, NULL) != 0)
		return err_set(err, ERR_STORE, "no event loop");
	return 0;
}

/*
 * A machine that died in its first commit forwards for a configuration that never was: that ends
 * before the rules do.
 */
static int settle_settings(struct kernel *k, struct err *err) {
	AUTO_FREE char *saved = state_path(k->state_dir, SYSCTL_FILE);
	struct names managed = managed_interfaces(k->engine->model);
	size_t n = managed.n;

	names_done(&managed);
	return n > 0 ? 0 : sysctl_restore(saved, err);
}

/* Sessions go on without a helper that is missing; who waits for what it lets in should know. */
static void tell_missing_helpers(const struct kernel *k) {
	for (int i = 0; i < HELPERS; i++)
		if (!(nft_helpers(k->nft) & 1u << i))
			say(k, LOG_WARNING, "this kernel has no session helper %s for protocol %u",
			    helper_table[i].name, helper_table[i].proto);
}

static int kernel_start(struct kernel *k, struct err *err) {
	if (open_backends(k, err) != 0 || open_logs(k, err) != 0)
		return ERR_KERNEL;
	struct backend backends[] = {
		barrier_backend(k->barrier),
		nft_backend(k->nft),
		sysctl_backend(k->sysctl),
		{ .name = "hold", .start = hold_start, .ctx = k },
		iface_backend(k->iface),
		route_backend(k->route),
		arp_backend(k->arp),
		handover_backend(k->handover),
		logs_backend(k->logs),
		audit_backend(k->audit),
		traffic_backend(k->traffic),
		{ .name = "sessions", .finish = after_commit, .ctx = k },
	};

	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		engine_add_backend(k->engine, &backends[i]);
	if (settle_settings(k, err) != 0 || engine_start(k->engine, err) != 0)
		return ERR_KERNEL;
	k->sampler = sampler_new(k->base, k->nft, err);
	if (!k->sampler)
		return ERR_KERNEL;
	tell_missing_helpers(k);
	after_commit(k);
	return 0;
}

/* ---- the whole ---- */

struct kernel *kernel_open(const struct kernel_config *config, struct err *err) {
	struct kernel *k = xcalloc(1, sizeof(*k));

	k->base = config->base;
	k->engine = config->engine;
	k->state_dir = xstrdup(config->state_dir);
	k->tell = config->tell;
	k->changes = changes_new(k->engine);
	if (open_replication(k, config, err) != 0 || open_hold(k, config, err) != 0 ||
	    kernel_start(k, err) != 0)
		return kernel_close(k);
	return k;
}

struct kernel *kernel_close(struct kernel *k) {
	if (!k)
		return NULL;
	struct event *const events[] = { k->log_denied, k->log_sessions, k->report,  k->schedule,
					 k->network,	k->rules,	 k->restore, k->sessions };

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i])
			event_free(events[i]);
	sampler_free(k->sampler);
	replication_free(k->replication);
	traffic_free(k->traffic);
	fib_free(k->ways);
	audit_free(k->audit);
	logs_close(k->logs);
	monitor_close(k->monitor);
	recheck_free(k->recheck);
	sysctl_free(k->sysctl);
	handover_free(k->handover);
	arp_free(k->arp);
	route_free(k->route);
	iface_free(k->iface);
	hold_free(k->hold);
	nft_free(k->nft);
	barrier_free(k->barrier);
	changes_free(k->changes);
	free(k->state_dir);
	free(k);
	return NULL;
}

struct audit *kernel_audit(const struct kernel *k) {
	return k->audit;
}

struct logs *kernel_logs(const struct kernel *k) {
	return k->logs;
}

void kernel_commands(struct kernel *k,
		     void (*add)(void *arg, const struct command *commands, size_t n, void *ctx),
		     void *arg) {
	const struct {
		const struct command *(*commands)(size_t *n);
		void *ctx;
	} groups[] = {
		{ commands_kernel, k->nft },
		{ commands_session, &k->sessions_shown },
		{ commands_replication, k->replication },
		{ commands_metrics, &k->metrics },
		{ commands_log, k->logs },
		{ commands_flow, k->nft },
		{ commands_sniffer, NULL },
		{ commands_performance, k->sampler },
		{ commands_hardware, NULL },
		{ commands_link, NULL },
		{ commands_port, NULL },
		{ commands_top, NULL },
		{ commands_changes, k->changes },
	};

	k->sessions_shown.ways = k->ways;
	k->metrics = (struct metrics_sources){ k->nft, k->engine, k->replication };
	k->sessions_shown.replication = k->replication;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		size_t n;
		const struct command *commands = groups[i].commands(&n);

		add(arg, commands, n, groups[i].ctx);
	}
}

/* ---- without an engine ---- */

int kernel_close_managed(const char *state_dir, struct err *err) {
	AUTO_FREE char *managed = state_path(state_dir, BARRIER_FILE);

	return barrier_raise(managed, err);
}

int kernel_release(const char *state_dir, struct err *err) {
	AUTO_FREE char *saved = state_path(state_dir, SYSCTL_FILE);
	AUTO_FREE char *managed = state_path(state_dir, BARRIER_FILE);
	struct nft *nft = nft_new(err);
	struct route *route = nft ? route_new(err) : NULL;
	struct arp *arp = route ? arp_new(err) : NULL;
	struct handover *handover = arp ? handover_new(err) : NULL;
	int rc = handover ? sysctl_restore(saved, err) : ERR_KERNEL; /* it stops forwarding first */

	if (rc == 0)
		rc = nft_remove(nft, err);
	if (rc == 0)
		rc = route_remove(route, err);
	if (rc == 0)
		rc = arp_remove(arp, err);
	if (rc == 0)
		rc = handover_remove(handover, err);
	if (rc == 0)
		rc = barrier_forget(managed, err);
	handover_free(handover);
	arp_free(arp);
	route_free(route);
	nft_free(nft);
	return rc;
}
