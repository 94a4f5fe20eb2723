/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-syncd: shares sessions and configuration of a unit with the other members of its group.
 *
 * This file only puts parts together: options, privileges, the door to gatehoused, commands, event
 * loop. It runs in the network namespace it is started in and serves that one. What it is to do
 * comes from gatehoused; it has no file of its own.
 */
#include <bsd/stdlib.h>
#include <event2/event.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#include "cfgdb/base/confine.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/log.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/nocore.h"
#include "cfgdb/base/notify.h"
#include "cfgdb/base/privdrop.h"
#include "cfgdb/control/ctl.h"
#include "sync/cmd_autoscale.h"
#include "sync/cmd_sync.h"
#include "sync/door.h"
#include "sync/replica.h"
#include "sync/scaler.h"

#define EVENT_BUFFER_MAX (1 << 30)

struct options {
	const char *run_dir, *user, *group, *callback_ca;
	int event_buffer;            /* bytes; 0: as sync/sessions.h says */
};

struct daemon {
	struct options opt;
	struct event_base *base;
	struct replica *replica;
	struct scaler *scaler;
	struct door *door;
	bool ready;                  /* the other members' sessions are here */
	struct cmd_sync_source source;
	struct cmd_sync *commands;
	struct autoscale_source group_source;
	struct cmd_autoscale_calls group_calls;
	struct cmd_autoscale *group_commands;
};

static const char usage[] =
	"usage: gatehouse-syncd [--run-dir DIR] [--user USER] [--group GROUP]\n"
	"                       [--event-buffer BYTES] [--callback-ca FILE]\n";

static bool parse_event_buffer(const char *text, int *ret) {
	const char *bad = NULL;

	*ret = (int)strtonum(text, 1, EVENT_BUFFER_MAX, &bad);
	return !bad;
}

static bool parse_options(int argc, char *argv[], struct options *opt) {
	static const struct option longs[] = {
		{ "run-dir", required_argument, NULL, 'r' },
		{ "user", required_argument, NULL, 'u' },
		{ "group", required_argument, NULL, 'g' },
		{ "event-buffer", required_argument, NULL, 'e' },
		{ "callback-ca", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*opt = (struct options){ .run_dir = "/run/gatehouse",
				 .user = "gatehouse-sync",
				 .group = "gatehouse" };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'r': opt->run_dir = optarg; break;
		case 'u': opt->user = optarg; break;
		case 'g': opt->group = optarg; break;
		case 'c': opt->callback_ca = optarg; break;
		case 'e':
			if (!parse_event_buffer(optarg, &opt->event_buffer))
				return false;
			break;
		case 'v': printf("gatehouse-syncd %s\n", PACKAGE_VERSION); exit(0);
		case 'h': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	return optind == argc;
}

/* The group opens the way to the control socket; what may be done there goes by the user. */
static int settle(const struct options *opt, struct err *err) {
	static const unsigned int caps[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE };
	uid_t uid;
	gid_t gid;
	int rc = privdrop_ids(opt->user, opt->group, &uid, &gid, err);

	umask(077);
	if (rc == 0)
		rc = privdrop(uid, gid, caps, ARRAY_LEN(caps), err);
	return rc ? rc : nocore(err);
}

/* ---- the log: stderr, and administrators who watch ---- */

static void tell_about(struct daemon *d, unsigned int topics, int priority, const char *text) {
	if (priority < LOG_DEBUG)
		log_line(priority <= LOG_ERR	   ? LOG_LEVEL_ERROR
			 : priority <= LOG_WARNING ? LOG_LEVEL_WARNING
						   : LOG_LEVEL_INFO,
			 "gatehouse-syncd: %s", text);
	if (d->commands)
		cmd_sync_log(d->commands, topics, priority, text);
}

static void tell(void *arg, int priority, const char *text) {
	tell_about(arg, CMD_SYNC_SESSIONS | CMD_SYNC_CONFIG, priority, text);
}

static void tell_sessions(void *arg, int priority, const char *text) {
	tell_about(arg, CMD_SYNC_SESSIONS, priority, text);
}

static void tell_config(void *arg, int priority, const char *text) {
	tell_about(arg, CMD_SYNC_CONFIG, priority, text);
}

/* ---- facts for commands ---- */

static void get_stats(void *arg, struct fgsp_stats *ret) {
	const struct daemon *d = arg;

	replica_stats(d->replica, ret);
}

static bool get_peer(void *arg, unsigned int i, struct fgsp_peer_info *ret) {
	const struct daemon *d = arg;

	return replica_peer(d->replica, i, ret);
}

static void resync(void *arg) {
	struct daemon *d = arg;

	replica_resync(d->replica);
}

static void get_metrics(void *arg, struct str *out) {
	const struct daemon *d = arg;

	cmd_autoscale_metrics(d->group_commands, out);
}

static void get_group_stats(void *arg, struct autoscale_stats *ret) {
	const struct daemon *d = arg;

	scaler_stats(d->scaler, ret);
}

static void get_group_channels(void *arg, struct channels_stats *ret) {
	const struct daemon *d = arg;

	scaler_channels(d->scaler, ret);
}

static bool get_member(void *arg, unsigned int i, struct autoscale_peer_info *ret) {
	const struct daemon *d = arg;

	return scaler_peer(d->scaler, i, ret);
}

static bool get_event(void *arg, unsigned int i, struct autoscale_event *ret) {
	const struct daemon *d = arg;

	return scaler_event(d->scaler, i, ret);
}

static void get_callback(void *arg, struct callback_info *ret) {
	const struct daemon *d = arg;

	scaler_callback(d->scaler, ret);
}

static int64_t get_now_s(void *arg) {
	(void)arg;
	return time(NULL);
}

static int forget(void *arg, const char *serial, struct err *err) {
	const struct daemon *d = arg;

	return scaler_forget(d->scaler, serial, err);
}

static uint32_t inquire(void *arg, const char *serial, const struct autoscale_message *question,
			struct err *err) {
	const struct daemon *d = arg;

	return scaler_inquire(d->scaler, serial, question, err);
}

static void on_ready(void *arg) {
	struct daemon *d = arg;

	d->ready = true;
	tell(d, LOG_INFO, "the sessions of the other members are here, or cannot be had");
	door_ready(d->door);
}

static void on_inquired(void *arg, uint32_t inquiry, const struct autoscale_message *answer,
			const char *why) {
	const struct daemon *d = arg;

	if (d->group_commands)
		cmd_autoscale_inquired(d->group_commands, inquiry, answer, why);
}

/* ---- the door ---- */

static void on_cluster(void *arg, const struct cluster *c) {
	struct daemon *d = arg;

	cmd_sync_cluster(d->commands, c);
	cmd_autoscale_cluster(d->group_commands, c);
	replica_configure(d->replica, c);
	if (d->ready)
		door_ready(d->door);
}

static void on_autoscale(void *arg, const struct autoscale *a) {
	struct daemon *d = arg;

	cmd_autoscale_unit(d->group_commands, a);
	scaler_configure(d->scaler, a);
}

static void on_call(void *arg, const struct door_call *call) {
	struct daemon *d = arg;

	if (!cmd_autoscale_call(d->group_commands, call))
		cmd_sync_call(d->commands, call);
}

static void on_cancel(void *arg, uint32_t id) {
	struct daemon *d = arg;

	cmd_autoscale_cancel(d->group_commands, id);
	cmd_sync_cancel(d->commands, id);
}

static void on_lost(void *arg) {
	struct daemon *d = arg;

	cmd_autoscale_lost(d->group_commands);
	cmd_sync_lost(d->commands);
}

static int open_door(struct daemon *d, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", d->opt.run_dir, CTL_SOCKET_NAME);
	const struct scaler_config config = { .base = d->base, .socket = path,
					      .callback_ca = d->opt.callback_ca,
					      .log = tell_config,
					      .inquired = on_inquired, .arg = d };
	const struct door_calls calls = { d,	   on_cluster, on_autoscale, on_call,
					  on_cancel, on_lost,	 tell };

	d->scaler = scaler_new(&config, err);
	if (!d->scaler)
		return ERR_STORE;
	d->source = (struct cmd_sync_source){ d, get_stats, get_peer, resync, get_metrics };
	d->group_source = (struct autoscale_source){
		.arg = d, .stats = get_group_stats, .channels = get_group_channels,
		.peer = get_member, .event = get_event, .callback = get_callback,
		.now_s = get_now_s };
	d->group_calls = (struct cmd_autoscale_calls){ d, forget, inquire };
	d->door = door_new(d->base, path, &calls, err);
	if (!d->door)
		return ERR_STORE;
	d->group_commands = cmd_autoscale_new(d->base, &d->group_source, &d->group_calls, d->door,
					      err);
	if (!d->group_commands)
		return ERR_KERNEL;
	d->commands = cmd_sync_new(&d->source, d->door);
	return 0;
}

/* ---- serving ---- */

/* By the clock that libevent takes otherwise, waits of 2 ms last up to 8 ms. */
static struct event_base *precise_base(void) {
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static int start(struct daemon *d, struct err *err) {
	struct replica_config config;

	d->base = precise_base();
	if (!d->base)
		return err_set(err, ERR_STORE, "no event loop");
	config = (struct replica_config){ .base = d->base, .event_buffer = d->opt.event_buffer,
					  .log = tell_sessions, .ready = on_ready, .arg = d };
	d->replica = replica_new(&config, err);
	return d->replica ? open_door(d, err) : ERR_KERNEL;
}

/* Nothing has been read from anyone yet. */
static int shut(struct err *err) {
	if (confine(&confine_syncd, err) != 0)
		return ERR_PERMISSION;
	log_line(confine_is_built() ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "gatehouse-syncd: %s",
		 confine_state());
	return 0;
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
		tell(d, LOG_INFO, "version " PACKAGE_VERSION " is ready");
		if (notify_ready(&err) != 0)
			tell(d, LOG_WARNING, err.text);
		event_base_dispatch(d->base);
	}
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
}

static void stop(struct daemon *d) {
	d->commands = cmd_sync_free(d->commands);
	d->group_commands = cmd_autoscale_free(d->group_commands);
	door_free(d->door);
	scaler_free(d->scaler);
	replica_free(d->replica);
	if (d->base)
		event_base_free(d->base);
}

int main(int argc, char *argv[]) {
	struct daemon d = { .base = NULL };
	struct err err = { 0 };
	int rc;

	if (!parse_options(argc, argv, &d.opt)) {
		fputs(usage, stderr);
		return 2;
	}
	fault_init();
	signal(SIGPIPE, SIG_IGN);
	rc = settle(&d.opt, &err);
	if (rc == 0)
		rc = start(&d, &err);
	if (rc == 0)
		rc = shut(&err);
	if (rc == 0)
		run(&d);
	else
		log_line(LOG_LEVEL_ERROR, "gatehouse-syncd: %s", err.text);
	stop(&d);
	return rc ? 1 : 0;
}
