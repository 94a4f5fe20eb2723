/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused: owns the configuration database, renders it to the kernel, answers the shell.
 *
 * This file only puts parts together: options, privileges, engine, backends, commands, event loop.
 * It runs in the network namespace it is started in and manages that one.
 */
#include <bsd/stdlib.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <nss.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backends/cmd_autoscale.h"
#include "backends/kernel.h"
#include "backends/netns.h"
#include "backends/scaling.h"
#include "backends/schedule.h"
#include "backends/takeup.h"
#include "cfgdb/aaa/aaa_audit.h"
#include "cfgdb/aaa/aaa_server.h"
#include "cfgdb/admin.h"
#include "cfgdb/base/confine.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/log.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/nocore.h"
#include "cfgdb/base/notify.h"
#include "cfgdb/base/privdrop.h"
#include "cfgdb/base/wipe.h"
#include "cfgdb/control/cmd_admin.h"
#include "cfgdb/control/cmd_batch.h"
#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/control/cmd_revision.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/server.h"
#include "cfgdb/engine.h"
#include "cfgdb/logs/audit.h"
#include "cfgdb/logs/logs.h"
#include "cfgdb/pending.h"
#include "cfgdb/saving.h"
#include "cfgdb/scrub.h"
#include "cfgdb/workspace.h"
#include "schemas/schema_gen.h"

#define EXIT_OTHER 3 /* another daemon runs here; the unit file knows it, too */
#define LOCK_TRIES 100 /* of 50 ms */
#define SYNC_WAIT_S 30
#define SYNC_WAIT_MAX_S 3600
#define SCRUB_S 10     /* between two looks whether anyone has written to the database */

struct options {
	const char *state_dir, *run_dir, *user, *group, *sync_user, *keys_user;
	unsigned int sync_wait_s;
	int (*task)(const struct options *opt, struct err *err); /* NULL: it serves */
};

struct daemon {
	struct options opt;
	struct engine *engine;
	struct event_base *base;
	struct role *role;
	struct relay *relay;
	struct kernel *kernel;
	struct scaling *scaling;
	struct workspace *workspace;
	struct pending *pending;
	struct saving *saving;
	struct aaa *aaa;
	struct aaa_server *aaa_server;
	struct server *server;
	struct cmd_checksum checksum;
	struct cmd_revision revision;
	struct batch_logs *batch_logs;
	struct command *commands;
	size_t n_commands;
	uint64_t replaced_revision; /* after which interfaces were taken up */
};

static const char usage[] =
	"usage: gatehoused [--state-dir DIR] [--run-dir DIR] [--user USER] [--group GROUP]\n"
	"                  [--sync-user USER] [--sync-wait SECONDS] [--keys-user USER]\n"
	"       gatehoused --release [...]   take rules, routes and kernel settings back\n"
	"       gatehoused --accept-database [...]   take the database as it stands\n";

static int release(const struct options *opt, struct err *err);
static int accept_database(const struct options *opt, struct err *err);

static bool parse_wait(const char *word, unsigned int *ret) {
	const char *bad;

	*ret = (unsigned int)strtonum(word, 0, SYNC_WAIT_MAX_S, &bad);
	return !bad;
}

static bool parse_options(int argc, char *argv[], struct options *opt) {
	static const struct option longs[] = {
		{ "state-dir", required_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "user", required_argument, NULL, 'u' },
		{ "group", required_argument, NULL, 'g' },
		{ "sync-user", required_argument, NULL, 'y' },
		{ "sync-wait", required_argument, NULL, 'w' },
		{ "keys-user", required_argument, NULL, 'k' },
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
				  .group = "gatehouse",
				  .sync_user = "gatehouse-sync",
				  .keys_user = "gatehouse-keys",
				  .sync_wait_s = SYNC_WAIT_S };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt->state_dir = optarg; break;
		case 'r': opt->run_dir = optarg; break;
		case 'u': opt->user = optarg; break;
		case 'g': opt->group = optarg; break;
		case 'y': opt->sync_user = optarg; break;
		case 'k': opt->keys_user = optarg; break;
		case 'w':
			if (!parse_wait(optarg, &opt->sync_wait_s))
				return false;
			break;
		case 'x': opt->task = release; break;
		case 'a': opt->task = accept_database; break;
		case 'v': printf("gatehoused %s\n", PACKAGE_VERSION); exit(0);
		case 'h': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	return optind == argc;
}

/*
 * Who is asked for users and groups in this process: the machine alone. The module of the login
 * would ask this daemon, which would wait for itself.
 */
static void use_local_accounts(void) {
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
}

/* ---- directories and privileges ---- */

/* Make a directory if it is missing; ours, closed to others as mode says. */
static int own_directory(const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *err) {
	struct stat st;

	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	/* Whoever starts us may have made it, and left us without the right to change it. */
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && st.st_gid == gid &&
	    (st.st_mode & 07777) == mode)
		return 0;
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
	struct err err = { 0 };

	if (kernel_close_managed(opt->state_dir, &err) != 0)
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
	if (rc == 0)
		rc = nocore(err);
	umask(077);
	if (rc == 0)
		rc = lock_directory(opt->state_dir, err);
	if (rc == 0 && strcmp(opt->state_dir, opt->run_dir) != 0)
		rc = lock_directory(opt->run_dir, err);
	return rc;
}

/* ---- parts ---- */

static void add_commands(void *arg, const struct command *commands, size_t n, void *ctx) {
	struct daemon *d = arg;

	d->commands = xreallocarray(d->commands, d->n_commands + n, sizeof(*d->commands));
	for (size_t i = 0; i < n; i++) {
		d->commands[d->n_commands] = commands[i];
		d->commands[d->n_commands++].ctx = ctx;
	}
}

static void tell(int priority, const char *text) {
	log_line((enum log_level)priority, "gatehoused: %s", text);
}

static void on_not_taken_up(const char *link, const struct err *why) {
	log_line(LOG_LEVEL_WARNING, "gatehoused: interface %s is not taken up: %s", link,
		 why->text);
}

/* ---- tasks that end ---- */

static int release(const struct options *opt, struct err *err) {
	return kernel_release(opt->state_dir, err);
}

static int accept_database(const struct options *opt, struct err *err) {
	return engine_accept(opt->state_dir, err);
}

/* ---- serving ---- */

static int start_server(struct daemon *d, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", d->opt.run_dir, CTL_SOCKET_NAME);
	struct server_config config = { .path = path,
					.group = d->opt.group,
					.commands = d->commands,
					.n_commands = d->n_commands,
					.version = PACKAGE_VERSION,
					.audit = kernel_audit(d->kernel),
					.relay = d->relay,
					.attach_user = d->opt.sync_user,
					.role = d->role,
					.workspace = d->workspace,
					.pending = d->pending,
					.aaa = d->aaa };

	d->server = server_new(d->base, d->engine, &config, err);
	return d->server ? 0 : ERR_STORE;
}

static void on_login(void *arg, const struct aaa_event *event) {
	const struct daemon *d = arg;
	AUTO_FREE char *source = aaa_audit_source(event);
	AUTO_STR struct str line = STR_INIT;
	struct timespec now;
	enum logtext_level level;

	clock_gettime(CLOCK_REALTIME, &now);
	level = aaa_audit_line(event, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
			       &line);
	audit_line(kernel_audit(d->kernel), aaa_audit_is_refusal(event) ? source : NULL, level,
		   &line);
}

static void on_session_over(void *arg, uint32_t session, const char *why) {
	const struct daemon *d = arg;

	if (d->server)
		server_end_session(d->server, session, why);
}

static bool on_schedule(void *arg, const char *schedule, time_t now) {
	const struct daemon *d = arg;

	return schedule_runs(d->engine->model, schedule, now);
}

static int open_aaa(struct daemon *d, struct err *err) {
	AUTO_FREE char *sessions = xasprintf("%s/sessions", d->opt.run_dir);
	const struct aaa_config config = { .base = d->base,
					   .engine = d->engine,
					   .clock = moment_now,
					   .gid = getegid(),
					   .sessions = sessions,
					   .tell = on_login,
					   .over = on_session_over,
					   .runs = on_schedule,
					   .arg = d };

	d->aaa = aaa_open(&config, err);
	return d->aaa ? 0 : ERR_STORE;
}

static void log_warning(void *arg, const char *text) {
	(void)arg;
	log_line(LOG_LEVEL_WARNING, "gatehoused: %s", text);
}

/* What nobody is told who puts it: an older release may have stored it. */
static void review_admins(const struct model *model) {
	struct warnings found = { 0 };
	const struct object *admin = model_first(model, schema_table(TBL_SYSTEM_ADMIN));

	for (; admin; admin = model_next(model, admin))
		admin_review(model, admin, &found);
	warn_drain(&found, log_warning, NULL);
}

static int start_aaa_server(struct daemon *d, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", d->opt.run_dir, AAA_SOCKET_NAME);
	const struct passwd *keys = getpwnam(d->opt.keys_user);
	const struct aaa_server_config config = { .base = d->base,
						  .aaa = d->aaa,
						  .path = path,
						  .keys_uid = keys ? keys->pw_uid : (uid_t)-1 };

	d->aaa_server = aaa_server_new(&config, err);
	return d->aaa_server ? 0 : ERR_STORE;
}

/* The configuration has changed by itself; its log is there with the kernel. */
static void on_change(void *arg, bool failed, const char *text) {
	const struct daemon *d = arg;
	struct logs *logs = d->kernel ? kernel_logs(d->kernel) : NULL;

	log_line(failed ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "gatehoused: %s", text);
	if (!logs)
		return;
	logs_add_change(logs, failed ? LOGTEXT_WARNING : LOGTEXT_NOTICE, text);
	logs_flush(logs);
}

/* What was not saved before the machine was started goes before there are rules. */
static int open_saving(struct daemon *d, struct err *err) {
	char boot_id[MOMENT_BOOT_ID];
	const struct saving_config config = { .engine = d->engine,
					      .base = d->base,
					      .clock = moment_now,
					      .boot_id = boot_id,
					      .tell = on_change,
					      .arg = d };

	moment_boot_id(boot_id);
	d->saving = saving_open(&config, err);
	return d->saving ? 0 : ERR_STORE;
}

/* What has waited too long goes before anybody can connect. */
static int open_transactions(struct daemon *d, struct err *err) {
	char boot_id[MOMENT_BOOT_ID];
	const struct pending_config config = { .engine = d->engine,
					       .base = d->base,
					       .clock = moment_now,
					       .boot_id = boot_id,
					       .tell = on_change,
					       .arg = d };

	moment_boot_id(boot_id);
	d->workspace = workspace_new(d->engine, moment_now, err);
	d->pending = d->workspace ? pending_open(&config, err) : NULL;
	return d->pending ? saving_start(d->saving, err) : ERR_STORE;
}

static int open_scaling(struct daemon *d, struct err *err) {
	const struct scaling_config config = { .base = d->base,
					       .engine = d->engine,
					       .role = d->role,
					       .relay = d->relay,
					       .state_dir = d->opt.state_dir,
					       .tell = tell };

	d->scaling = scaling_new(&config, err);
	return d->scaling ? 0 : ERR_STORE;
}

static void add_all_commands(struct daemon *d) {
	const struct command *commands;
	size_t n;

	d->checksum = (struct cmd_checksum){ d->engine, d->role, d->relay };
	commands = commands_config(&n);
	add_commands(d, commands, n, d->engine);
	commands = commands_admin(&n);
	add_commands(d, commands, n, d->aaa);
	commands = commands_batch(&n);
	d->batch_logs = batch_logs_new();
	add_commands(d, commands, n, d->batch_logs);
	commands = commands_checksum(&n);
	add_commands(d, commands, n, &d->checksum);
	commands = commands_revision(&n);
	d->revision = (struct cmd_revision){ d->engine, d->saving };
	add_commands(d, commands, n, &d->revision);
	commands = commands_transaction(&n);
	add_commands(d, commands, n, NULL);
	commands = commands_transaction_show(&n);
	add_commands(d, commands, n, NULL);
	commands = commands_autoscale(&n);
	add_commands(d, commands, n, d->relay);
	kernel_commands(d->kernel, add_commands, d);
}

/* What has gone with a configuration that was replaced, or with a past one, may be there still. */
static void on_commit(void *arg) {
	struct daemon *d = arg;
	struct err err = { 0 };

	if (aaa_follow(d->aaa, &err) != 0)
		log_line(LOG_LEVEL_ERROR, "gatehoused: new administrators cannot log in: %s",
			 err.text);
	if (d->replaced_revision == d->engine->replaced_revision)
		return;
	d->replaced_revision = d->engine->replaced_revision;
	if (takeup_links(d->engine, on_not_taken_up, &err) != 0)
		log_line(LOG_LEVEL_WARNING, "gatehoused: interfaces are not taken up: %s",
			 err.text);
}

static int start(struct daemon *d, struct err *err) {
	struct kernel_config config = { .state_dir = d->opt.state_dir,
					.sync_wait_s = d->opt.sync_wait_s,
					.tell = tell };

	d->base = event_base_new();
	if (!d->base)
		return err_set(err, ERR_STORE, "no event loop");
	d->engine = engine_open(d->opt.state_dir, err);
	if (!d->engine)
		return ERR_STORE;
	d->role = role_new(d->engine, err);
	if (!d->role)
		return ERR_STORE;
	if (open_saving(d, err) != 0)
		return ERR_STORE;
	if (takeup_links(d->engine, on_not_taken_up, err) != 0)
		return ERR_KERNEL;
	config.base = d->base;
	config.engine = d->engine;
	config.relay = d->relay = relay_new();
	d->kernel = kernel_open(&config, err);
	if (!d->kernel)
		return ERR_KERNEL;
	if (open_scaling(d, err) != 0)
		return ERR_STORE;
	if (open_transactions(d, err) != 0)
		return ERR_STORE;
	if (open_aaa(d, err) != 0)
		return ERR_STORE;
	review_admins(d->engine->model);
	add_all_commands(d);
	engine_watch(d->engine, on_commit, d);
	if (start_server(d, err) != 0)
		return ERR_STORE;
	return start_aaa_server(d, err);
}

/* Nobody has been served yet. */
static int shut(struct err *err) {
	if (confine(&confine_gatehoused, err) != 0)
		return ERR_PERMISSION;
	log_line(confine_is_built() ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "gatehoused: %s",
		 confine_state());
	return 0;
}

static void on_signal(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(d->base);
}

static void on_scrub(evutil_socket_t fd, short what, void *arg) {
	struct daemon *d = arg;
	AUTO_STR struct str found = STR_INIT;
	struct err err = { 0 };
	const char *line;

	(void)fd;
	(void)what;
	if (!store_is_touched(d->engine->store))
		return;
	if (scrub(d->engine, &found, &err) != 0)
		log_line(LOG_LEVEL_ERROR, "gatehoused: somebody has written to the database: %s",
			 err.text);
	for (line = str_text(&found); *line; line += strcspn(line, "\n") + 1)
		log_line(LOG_LEVEL_ERROR,
			 "gatehoused: somebody has written to the database: it is mended: %.*s",
			 (int)strcspn(line, "\n"), line);
}

static void run(struct daemon *d) {
	const struct timeval scrub_wait = { .tv_sec = SCRUB_S };
	struct event *touched = event_new(d->base, -1, EV_PERSIST, on_scrub, d);
	struct event *term = evsignal_new(d->base, SIGTERM, on_signal, d);
	struct event *intr = evsignal_new(d->base, SIGINT, on_signal, d);
	struct err err = { 0 };

	if (term && intr && touched && event_add(term, NULL) == 0 && event_add(intr, NULL) == 0 &&
	    event_add(touched, &scrub_wait) == 0) {
		log_line(LOG_LEVEL_INFO, "gatehoused %s: ready, serial %s, revision %llu",
			 PACKAGE_VERSION, d->engine->serial,
			 (unsigned long long)d->engine->revision);
		if (notify_ready(&err) != 0)
			log_line(LOG_LEVEL_WARNING, "gatehoused: %s", err.text);
		while (event_base_loop(d->base, EVLOOP_ONCE) == 0 &&
		       !event_base_got_break(d->base))
			wipe_stack();
	}
	if (touched)
		event_free(touched);
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
}

static void stop(struct daemon *d) {
	aaa_server_free(d->aaa_server);
	server_free(d->server);
	pending_close(d->pending);
	workspace_free(d->workspace);
	scaling_free(d->scaling);
	aaa_close(d->aaa);
	kernel_close(d->kernel);
	relay_free(d->relay);
	engine_close(d->engine);
	saving_close(d->saving);
	role_free(d->role);
	batch_logs_free(d->batch_logs);
	free(d->commands);
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
	use_local_accounts();
	fault_init();
	rc = lock_namespace(&err);
	if (rc == 0 && !d.opt.task)
		close_managed(&d.opt);
	if (rc == 0)
		rc = settle(&d.opt, &err);
	if (rc == 0)
		rc = d.opt.task ? d.opt.task(&d.opt, &err) : start(&d, &err);
	if (rc == 0 && !d.opt.task)
		rc = shut(&err);
	wipe_stack();
	if (rc == 0 && !d.opt.task)
		run(&d);
	if (rc)
		log_line(LOG_LEVEL_ERROR, "gatehoused: %s", err.text);
	stop(&d);
	if (rc == ERR_LOCKED)
		return EXIT_OTHER;
	return rc ? 1 : 0;
}
