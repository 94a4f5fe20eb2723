/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Denied packets come from the log group that the rules send them to, with the links they were to
 * pass by. Sessions come from connection tracking when they begin and end: with all translation
 * done, and at their end with what they have carried. It knows no links, so these are those that
 * the policy names or, when it names several, those that routes lead to and from.
 *
 * Whatever the configuration says counts at the moment of the event. A session that never carried a
 * packet here is the copy of one that a peer forwards, which logs it.
 *
 * There is a bound on what is logged, so that a flood costs little. What is left out is counted:
 * denied packets above the limit by rules, by policy; messages that nobody read in time by their
 * numbers; sessions above the limit here; of lost events only that there were some.
 */
#include "backends/traffic.h"

#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/ct_events.h"
#include "backends/nflog.h"
#include "backends/policy.h"
#include "backends/render.h"
#include "backends/service_names.h"
#include "backends/session.h"
#include "backends/traffic_log.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/rate.h"
#include "schemas/schema_gen.h"

#define SESSIONS_PER_S 5000       /* lines about sessions; above it they are only counted */
#define SESSIONS_BURST 10000
#define LOOK_PAUSE_NS 1000000000u /* between two readings of all routes */
#define POLICIES_TOLD 8          /* by name in one line about what was left out */

/* Denied packets of a policy that were not logged, since its counter was made. */
struct unlogged {
	uint32_t policy;
	uint64_t packets;
};

struct unloggeds {
	struct unlogged *of;
	size_t n;
};

struct traffic {
	struct nft *nft;
	struct logs *logs;
	const struct model *model;
	struct nflog *denied;
	struct ct_events *sessions;
	struct service_names *services;
	struct fib *ways;
	uint64_t look_ns;            /* when they were last told to look; CLOCK_MONOTONIC */
	bool deaf;                   /* the kernel does not tell of sessions */
	bool complained;             /* that something is not told has been reported */
	struct nflog_packet translated; /* the last that came as it was translated */
	struct unloggeds before;     /* at the last report */
	bool any_denied;             /* since the last report */
	struct rate sessions_rate;
	uint64_t unlogged_sessions, lost_denied; /* since the last report */
	bool lost_events;
};

struct traffic *traffic_new(struct nft *nft, struct logs *logs, struct fib *ways,
			    struct err *err) {
	struct traffic *t = xcalloc(1, sizeof(*t));

	t->nft = nft;
	t->logs = logs;
	t->ways = ways;
	t->sessions_rate = (struct rate){ .per_s = SESSIONS_PER_S, .burst = SESSIONS_BURST };
	t->denied = nflog_open(RENDER_LOG_GROUP, NULL);
	t->sessions = ct_events_open(err);
	return t->sessions ? t : traffic_free(t);
}

struct traffic *traffic_free(struct traffic *t) {
	if (!t)
		return NULL;
	nflog_close(t->denied);
	ct_events_close(t->sessions);
	service_names_free(t->services);
	free(t->before.of);
	free(t);
	return NULL;
}

int traffic_denied_fd(const struct traffic *t) {
	return t->denied ? nflog_fd(t->denied) : -1;
}

int traffic_sessions_fd(const struct traffic *t) {
	return ct_events_fd(t->sessions);
}

/* ---- what the configuration says ---- */

static const struct object *find_policy(const struct traffic *t, uint32_t id) {
	char key[16];

	snprintf(key, sizeof(key), "%" PRIu32, id);
	return id ? model_find(t->model, schema_table(TBL_FIREWALL_POLICY), key) : NULL;
}

static int marks_order(const void *a, const void *b) {
	const struct ct_marks *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Hear of the sessions of those policies that log them. */
static int listen_to_sessions(struct traffic *t, struct err *err) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	AUTO_FREE struct ct_marks *marks =
		xcalloc(model_count(t->model, table) + 1, sizeof(*marks));
	unsigned int wanted = 0;
	size_t n = 0;

	for (const struct object *obj = model_first(t->model, table); obj;
	     obj = model_next(t->model, obj)) {
		unsigned int logs = policy_logs(obj) & (POLICY_LOGS_START | POLICY_LOGS_END);
		uint32_t id = (uint32_t)strtoul(obj->key, NULL, 10);

		if (logs)
			marks[n++] = (struct ct_marks){ id, id };
		wanted |= logs;
	}
	qsort(marks, n, sizeof(*marks), marks_order);
	return ct_events_listen(t->sessions, marks, n, wanted & POLICY_LOGS_START, err);
}

static int unlogged_order(const void *a, const void *b) {
	const struct unlogged *x = a, *y = b;

	return (x->policy > y->policy) - (x->policy < y->policy);
}

static void keep_unlogged(void *arg, uint32_t policy, uint64_t packets) {
	struct unloggeds *u = arg;

	if ((u->n & (u->n - 1)) == 0)
		u->of = xreallocarray(u->of, u->n ? u->n * 2 : 1, sizeof(*u->of));
	u->of[u->n++] = (struct unlogged){ policy, packets };
}

/* What the kernel has counted, by policy in order; the caller frees ret->of. */
static int read_unlogged(const struct traffic *t, struct unloggeds *ret, struct err *err) {
	int rc = nft_each_unlogged(t->nft, keep_unlogged, ret, err);

	if (ret->n)
		qsort(ret->of, ret->n, sizeof(*ret->of), unlogged_order);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static void configure(struct traffic *t) {
	service_names_free(t->services);
	t->services = service_names_new(t->model);
	t->deaf = listen_to_sessions(t, NULL) != 0;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct traffic *t = ctx;

	t->model = commit->model;
	configure(t);
	return read_unlogged(t, &t->before, err);
}

static void backend_finish(void *ctx) {
	configure(ctx);
}

struct backend traffic_backend(struct traffic *t) {
	return (struct backend){
		.name = "traffic",
		.start = backend_start,
		.finish = backend_finish,
		.ctx = t,
	};
}

/* ---- lines ---- */

static uint64_t clock_ns(clockid_t clock) {
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const char *role_of(const struct traffic *t, const char *interface) {
	const struct object *obj =
		model_find(t->model, schema_table(TBL_SYSTEM_INTERFACE), interface);
	const unsigned int role = SYSTEM_INTERFACE__ROLE;

	return obj ? obj->table->attrs[role].options[object_num(obj, role)].name : "";
}

/* Names of links, or of none. */
struct ways {
	char in[IF_NAMESIZE], out[IF_NAMESIZE];
};

static void link_name(int index, char name[IF_NAMESIZE]) {
	if (index <= 0 || !if_indextoname((unsigned int)index, name))
		name[0] = '\0';
}

static void add_line(struct traffic *t, const struct ct *ct, enum traffic_action action,
		     const struct object *policy, const struct ways *ways) {
	const struct ct_tuple *to = &ct->tuple[CT_ORIG];
	const struct service_packet packet = { ct->proto, (uint8_t)to->dport, to->icmp_code,
					       to->sport, to->dport };
	struct str line AUTO_STR = STR_INIT, service AUTO_STR = STR_INIT;

	service_names_print(t->services, &packet, &service);
	traffic_log_print(
		&(struct traffic_facts){
			.time_ns = ct->stop_ns ? ct->stop_ns : clock_ns(CLOCK_REALTIME),
			.action = action,
			.ct = ct,
			.session = action == TRAFFIC_DENY ? 0 : session_serial(ct),
			.in = ways->in,
			.out = ways->out,
			.in_role = role_of(t, ways->in),
			.out_role = role_of(t, ways->out),
			.policy = policy ? ct->mark : 0,
			.policy_uuid = policy ? object_str(policy, FIREWALL_POLICY__UUID) : "",
			.policy_name = policy ? object_str(policy, FIREWALL_POLICY__NAME) : "",
			.service = str_text(&service),
		},
		&line);
	logs_add(t->logs, LOGSTORE_TRAFFIC, TRAFFIC_LOG_LEVEL, &line);
}

/* ---- what was denied ---- */

/*
 * Of a packet that comes twice, first as it was translated, that is what its answer would come
 * from.
 */
static struct ct denied_session(const struct traffic *t, const struct nflog_packet *p) {
	const struct nflog_packet *to = &t->translated;
	struct ct ct = p->ct;

	if (to->has_seq && to->seq + 1 == p->seq && to->ct.proto == ct.proto) {
		ct.tuple[CT_REPLY].src = to->ct.tuple[CT_ORIG].dst;
		ct.tuple[CT_REPLY].sport = to->ct.tuple[CT_ORIG].dport;
	}
	return ct;
}

static void on_denied(void *arg, const struct nflog_packet *p) {
	struct traffic *t = arg;
	struct ways ways;
	struct ct ct;

	if (strcmp(p->prefix, RENDER_LOG_TRANSLATED) == 0)
		t->translated = *p;
	if (strcmp(p->prefix, RENDER_LOG_DENIED) != 0)
		return;
	ct = denied_session(t, p);
	link_name(p->in, ways.in);
	link_name(p->out, ways.out);
	add_line(t, &ct, TRAFFIC_DENY, find_policy(t, ct.mark), &ways);
	t->any_denied = true;
}

void traffic_take_denied(struct traffic *t) {
	t->lost_denied += nflog_read(t->denied, on_denied, t);
	logs_flush(t->logs);
}

/* ---- sessions ---- */

/* The routes as they are now, or were a moment ago. */
static struct fib *routes(struct traffic *t) {
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - t->look_ns >= LOOK_PAUSE_NS) {
		fib_look(t->ways);
		t->look_ns = now;
	}
	return t->ways;
}

/* The interface that a policy names alone, or NULL: then it may be any of several. */
static const char *only_interface(const struct traffic *t, const struct object *policy,
				  unsigned int attr) {
	const struct value *v = object_value(policy, attr);
	const struct object *obj =
		v && v->n == 1 ? model_resolve(t->model, &policy->table->attrs[attr],
					       value_item(v, 0)->str)
			       : NULL;

	return obj && obj->table->id == TBL_SYSTEM_INTERFACE ? obj->key : NULL;
}

/* What a helper let in runs the way of its policy or the other one, as was announced. */
static void find_ways(struct traffic *t, const struct ct *ct, const struct object *policy,
		      struct ways *ret) {
	const char *in = only_interface(t, policy, FIREWALL_POLICY__SRCINTF);
	const char *out = only_interface(t, policy, FIREWALL_POLICY__DSTINTF);
	bool announced = ct->status & IPS_EXPECTED;
	struct fib_path path = { .local = { false } };

	if (!in || !out || announced)
		fib_path(routes(t), ct->family, &ct->tuple[CT_ORIG].src, &ct->tuple[CT_REPLY].src,
			 &path);
	link_name(path.to[0].index, ret->in);
	link_name(path.to[1].index, ret->out);
	if (announced && ret->in[0] && ret->out[0])
		return;
	if (in)
		snprintf(ret->in, sizeof(ret->in), "%s", in);
	if (out)
		snprintf(ret->out, sizeof(ret->out), "%s", out);
}

static void on_session(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	struct traffic *t = arg;
	const struct object *policy = find_policy(t, ct->mark);
	unsigned int logs = policy ? policy_logs(policy) : 0;
	struct ways ways;

	if (!(logs & (event == CT_ENDS ? POLICY_LOGS_END : POLICY_LOGS_START)))
		return;
	if (event == CT_ENDS ? ct->count[CT_ORIG].packets == 0 : by != 0)
		return;
	if (!rate_take(&t->sessions_rate, clock_ns(CLOCK_MONOTONIC))) {
		t->unlogged_sessions++;
		return;
	}
	find_ways(t, ct, policy, &ways);
	add_line(t, ct, event == CT_ENDS ? traffic_log_ending(ct, by) : TRAFFIC_START, policy,
		 &ways);
}

void traffic_take_sessions(struct traffic *t) {
	t->lost_events |= ct_events_read(t->sessions, on_session, t);
	logs_flush(t->logs);
}

/* ---- what was left out ---- */

static int most_first(const void *a, const void *b) {
	const struct unlogged *x = a, *y = b;

	return (x->packets < y->packets) - (x->packets > y->packets);
}

/*
 * What was counted since: now less before, both by policy in order. A smaller counter is a new
 * one.
 */
static uint64_t subtract(struct unloggeds *now, const struct unloggeds *before) {
	uint64_t sum = 0;

	for (size_t i = 0, j = 0; i < now->n; i++) {
		struct unlogged *u = &now->of[i];

		while (j < before->n && before->of[j].policy < u->policy)
			j++;
		if (j < before->n && before->of[j].policy == u->policy &&
		    before->of[j].packets <= u->packets)
			u->packets -= before->of[j].packets;
		sum += u->packets;
	}
	return sum;
}

static void tell_unlogged(struct traffic *t, struct unloggeds *since, uint64_t sum) {
	struct str text AUTO_STR = STR_INIT;

	qsort(since->of, since->n, sizeof(*since->of), most_first);
	str_addf(&text, "%" PRIu64 " denied packets above the rate were not logged:", sum);
	for (size_t i = 0; i < since->n && i < POLICIES_TOLD && since->of[i].packets; i++)
		str_addf(&text, "%s policy %" PRIu32 " %" PRIu64, i ? "," : "", since->of[i].policy,
			 since->of[i].packets);
	if (since->n > POLICIES_TOLD && since->of[POLICIES_TOLD].packets)
		str_add(&text, ", others");
	logs_add_loss(t->logs, str_text(&text));
}

static int report_unlogged(struct traffic *t, struct err *err) {
	struct unloggeds now = { NULL, 0 }, since;
	int rc = read_unlogged(t, &now, err);
	uint64_t sum;

	if (rc) {
		free(now.of);
		return rc;
	}
	since = (struct unloggeds){ xcalloc(now.n + 1, sizeof(*now.of)), now.n };
	if (now.n)
		memcpy(since.of, now.of, now.n * sizeof(*now.of));
	sum = subtract(&since, &t->before);
	if (sum)
		tell_unlogged(t, &since, sum);
	free(since.of);
	free(t->before.of);
	t->before = now;
	return 0;
}

static void tell_lost(struct traffic *t, uint64_t *n, const char *what) {
	AUTO_FREE char *text = xasprintf("%" PRIu64 " %s", *n, what);

	if (*n)
		logs_add_loss(t->logs, text);
	*n = 0;
}

static void report_lost(struct traffic *t) {
	tell_lost(t, &t->lost_denied, "messages about denied packets came too fast to be read");
	tell_lost(t, &t->unlogged_sessions, "sessions above the rate were not logged");
	if (t->lost_events)
		logs_add_loss(t->logs, "some sessions came and went too fast to be logged");
	t->lost_events = false;
}

/* What the kernel refused may be possible now. */
static int listen_again(struct traffic *t, struct err *err) {
	if (!t->denied)
		t->denied = nflog_open(RENDER_LOG_GROUP, err);
	if (t->deaf)
		t->deaf = listen_to_sessions(t, err) != 0;
	return t->denied && !t->deaf ? 0 : ERR_KERNEL;
}

/* Nothing is denied above the rate unless something is denied below it. */
int traffic_report(struct traffic *t, struct err *err) {
	bool complained = t->complained;
	int rc = t->any_denied ? report_unlogged(t, err) : 0;

	t->any_denied = rc != 0;
	report_lost(t);
	if (rc == 0)
		rc = listen_again(t, err);
	t->complained = rc != 0;
	logs_flush(t->logs);
	return complained ? 0 : rc;
}
