/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking the leader's configuration, one question to it at a time. When it knows the revision that
 * this unit has, it sends what has changed since. Otherwise the tables whose digests differ are
 * compared by their indexes, objects that differ are fetched, and at the end comes what has changed
 * since the beginning. Either way everything is staged in one transaction of gatehoused, which is
 * committed with the digests that it must give: whatever went wrong on the way, the outcome is what
 * the leader had at one revision, or nothing has happened.
 *
 * What cannot be committed is tried again later, as a whole. What broke off, because the leader or
 * gatehoused went away, begins anew at once.
 */
#include "sync/autoscale_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define ANSWER_US (60 * AUTOSCALE_S)
#define BACKOFF_MIN_US AUTOSCALE_S
#define BACKOFF_MAX_US (60 * AUTOSCALE_S)
#define ABORT_APART_US (AUTOSCALE_S / 5)
#define AGAIN_MAX 8
#define VERIFY_US (2 * AUTOSCALE_S)  /* in which gatehoused says what a commit has given */
#define STAGED_MAX 256               /* operations that gatehoused has not answered */

static void staged(struct autoscale_machine *m, struct autoscale_question *q);
static void committed(struct autoscale_machine *m, struct autoscale_question *q);
static void own_tables(struct autoscale_machine *m, struct autoscale_question *q);
static void own_index(struct autoscale_machine *m, struct autoscale_question *q);
static void go_on(struct autoscale_machine *m);

/* ---- the end of it ---- */

static void forget_table(struct autoscale_copy *copy) {
	autoscale_index_done(&copy->theirs);
	autoscale_index_done(&copy->ours);
	autoscale_plan_done(&copy->plan);
	copy->fetched = copy->asked_to = 0;
	copy->their_end = copy->our_end = false;
}

static void ignored(struct autoscale_machine *m, struct autoscale_question *q) {
	(void)m;
	autoscale_question_free(q);
}

/* Nothing of the copy is left, here or in gatehoused. */
static void drop(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;
	struct buf request = BUF_INIT;

	autoscale_ask_drop(m, staged);
	autoscale_ask_drop(m, committed);
	autoscale_ask_drop(m, own_tables);
	autoscale_ask_drop(m, own_index);
	if (copy->open && m->desk) {
		buf_put_u8(&request, CTL_ABORT);
		autoscale_ask(m, &request, ignored);
	}
	forget_table(copy);
	autoscale_index_done(&copy->their_tables);
	autoscale_index_done(&copy->our_tables);
	for (unsigned int i = 0; i < copy->n_tables; i++)
		free(copy->table[i]);
	free(copy->table);
	*copy = (struct autoscale_copy){ .step = AUTOSCALE_IDLE };
	autoscale_peer_news(m);
}

void autoscale_copy_abort(struct autoscale_machine *m, const char *why) {
	if (m->copy.step == AUTOSCALE_IDLE)
		return;
	if (m->copy.whole)
		autoscale_tell(m, LOG_NOTICE, "Copy of the configuration of %s broke off: %s",
			       m->copy.serial, why);
	m->next_whole = m->next_whole || m->copy.whole;
	m->retry_us = m->now_us + ABORT_APART_US;
	drop(m);
}

void autoscale_copy_forgive(struct autoscale_machine *m) {
	m->failing = m->next_whole = false;
	m->backoff_us = m->retry_us = 0;
}

__attribute__((format(printf, 2, 3)))
static void fail(struct autoscale_machine *m, const char *fmt, ...) {
	va_list ap;

	if (m->a.primary) {
		/* it takes nothing of anybody: what was under way is refused */
		drop(m);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(m->trouble, sizeof(m->trouble), fmt, ap);
	va_end(ap);
	autoscale_note(m, AUTOSCALE_NOTE_FAILED, LOG_ERR,
		       "Configuration of %s cannot be taken: %s", m->copy.serial, m->trouble);
	m->backoff_us = m->backoff_us ? autoscale_min(2 * m->backoff_us, BACKOFF_MAX_US) :
					BACKOFF_MIN_US;
	m->retry_us = m->now_us + m->backoff_us;
	m->failing = m->next_whole = true;
	m->stats.failures++;
	drop(m);
}

/* ---- questions to the leader ---- */

static void ask_leader(struct autoscale_machine *m, struct autoscale_message *question) {
	struct autoscale_channel *c = m->leader ? m->leader->channel : NULL;
	AUTO_BUF struct buf b = BUF_INIT;

	if (++m->last_id == 0)
		m->last_id = 1;
	question->id = m->copy.id = m->last_id;
	m->copy.asked_us = m->now_us;
	autoscale_message_encode(&b, question);
	m->stats.questions++;
	if (c)
		autoscale_peer_send(m, c, &b);
}

static void ask_changes(struct autoscale_machine *m, uint64_t since) {
	ask_leader(m, &(struct autoscale_message){ .type = AUTOSCALE_ASK_CHANGES, .since = since });
}

/* ---- staging ---- */

static void begin_transaction(struct autoscale_machine *m, const char *user, const char *source,
			      uint64_t time_s, const char *comment) {
	struct buf request = BUF_INIT;

	buf_put_u8(&request, CTL_SYNC_BEGIN);
	buf_put_str(&request, user);
	buf_put_str(&request, source);
	buf_put_u64(&request, time_s);
	buf_put_str(&request, comment);
	autoscale_ask(m, &request, staged);
	m->copy.open = true;
	m->copy.staging++;
}

/* An operation as it came, or made here. */
static void stage_bytes(struct autoscale_machine *m, const uint8_t *data, size_t len) {
	struct buf request = BUF_INIT;

	buf_reserve(&request, len + 1);
	buf_put_u8(&request, CTL_SYNC_STAGE);
	buf_put_bytes(&request, data, len);
	autoscale_ask(m, &request, staged);
	m->copy.staging++;
}

static void stage(struct autoscale_machine *m, const struct operation *o) {
	struct buf b = BUF_INIT;

	operation_encode(&b, o);
	stage_bytes(m, b.data, b.len);
	buf_wipe(&b);
}

static void staged(struct autoscale_machine *m, struct autoscale_question *q) {
	m->copy.staging--;
	if (q->code != 0)
		fail(m, "%s", q->text);
	autoscale_question_free(q);
	if (m->copy.step != AUTOSCALE_IDLE)
		go_on(m);
}

static void commit(struct autoscale_machine *m, const struct autoscale_message *changes) {
	static const struct digest_group none;
	const struct digest_group *d = changes->checked ? &changes->digests : &none;
	struct buf request = BUF_INIT;

	buf_put_u8(&request, CTL_SYNC_COMMIT);
	buf_put_str(&request, m->copy.serial);
	buf_put_u64(&request, m->copy.epoch);
	buf_put_u64(&request, changes->revision);
	buf_put_bytes(&request, d->global, DIGEST_LEN);
	buf_put_bytes(&request, d->root, DIGEST_LEN);
	buf_put_bytes(&request, d->all, DIGEST_LEN);
	autoscale_ask(m, &request, committed);
	m->copy.revision = changes->revision;
	m->copy.step = AUTOSCALE_COMMIT;
}

static void tell_whole(struct autoscale_machine *m) {
	const struct autoscale_copy *copy = &m->copy;
	char names[AUTOSCALE_TROUBLE / 2] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < copy->n_tables && len + 4 < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					copy->table[i]);
	m->stats.copies++;
	m->stats.healed += copy->heals;
	autoscale_tell(m, copy->heals ? LOG_WARNING : LOG_NOTICE, "%s %s, revision %llu: %s",
		       copy->heals ? "Healed what differed from" : "Copied from", copy->serial,
		       (unsigned long long)copy->revision,
		       copy->n_tables ? names : "nothing differed");
}

/* It joins with a configuration of its own; gatehoused gives that a name. */
static void tell_former(struct autoscale_machine *m) {
	if (m->copy.n_tables > 0 && !m->a.group.synced)
		autoscale_tell(m, LOG_NOTICE,
			       "Revisions 1 to %llu of this unit are not replicated: the "
			       "configuration of %s has replaced them",
			       (unsigned long long)m->a.revision, m->copy.serial);
}

/* gatehoused says so, too, some time; or it has done so, and made this unit primary since. */
static void note_commit(struct autoscale_machine *m) {
	if (m->a.primary)
		return;
	memcpy(m->at, m->copy.serial, sizeof(m->at));
	m->at_revision = m->copy.revision;
	m->a.group.epoch = m->copy.epoch;
	m->a.group.synced = true;
}

static void committed(struct autoscale_machine *m, struct autoscale_question *q) {
	if (q->code != 0) {
		fail(m, "%s", q->text);
		autoscale_question_free(q);
		return;
	}
	autoscale_question_free(q);
	tell_former(m);
	if (m->copy.whole)
		tell_whole(m);
	else
		m->stats.deltas++;
	note_commit(m);
	if (m->failing)
		autoscale_tell(m, LOG_NOTICE, "Configuration of %s is taken again",
			       m->copy.serial);
	autoscale_copy_forgive(m);
	m->verify_us = m->now_us + VERIFY_US;
	m->copy.open = false;
	drop(m);
}

/* ---- what has changed ---- */

static void stage_list(struct autoscale_machine *m, const struct autoscale_message *message) {
	struct buf_reader list = message->list;

	for (uint32_t i = 0; i < message->n; i++) {
		size_t from = list.pos;
		struct operation o;

		operation_decode(&o, &list);
		operation_done(&o);
		stage_bytes(m, list.data + from, list.pos - from);
	}
}

static void take_changes(struct autoscale_machine *m, const struct autoscale_message *changes) {
	char comment[AUTOSCALE_TROUBLE], first[32] = "";

	if (m->copy.whole && !changes->checked) {
		fail(m, "its secret has changed meanwhile");
		return;
	}
	if (changes->revision > changes->since + 1)
		snprintf(first, sizeof(first), "s %llu to",
			 (unsigned long long)changes->since + 1);
	snprintf(comment, sizeof(comment), "revision%s %llu of %s", first,
		 (unsigned long long)changes->revision, m->copy.serial);
	if (!m->copy.open)
		begin_transaction(m, changes->user, changes->source, changes->time_s, comment);
	stage_list(m, changes);
	commit(m, changes);
}

/* ---- tables ---- */

static void begin_whole(struct autoscale_machine *m) {
	struct buf request = BUF_INIT;

	m->copy.step = AUTOSCALE_GET_TABLES;
	m->copy.whole = true;
	buf_put_u8(&request, CTL_SYNC_TABLES);
	autoscale_ask(m, &request, own_tables);
	ask_leader(m, &(struct autoscale_message){ .type = AUTOSCALE_ASK_TABLES });
}

/* False: it is too much for this unit. */
static bool add_list(struct autoscale_index *x, struct buf_reader list, uint32_t n) {
	struct autoscale_digest item;

	for (uint32_t i = 0; i < n && x->bytes < AUTOSCALE_COPY_MAX; i++) {
		autoscale_message_get_digest(&list, &item);
		autoscale_index_add(x, item.name, item.digest);
	}
	return x->bytes < AUTOSCALE_COPY_MAX;
}

static void add_table(struct autoscale_copy *copy, const char *name) {
	copy->table = xreallocarray(copy->table, copy->n_tables + 1, sizeof(*copy->table));
	copy->table[copy->n_tables++] = xstrdup(name);
}

/* Tables that differ, and those of ours that the leader has not. */
static void compare_tables(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;
	struct autoscale_plan plan;
	char comment[AUTOSCALE_TROUBLE];

	autoscale_plan_make(&plan, &copy->their_tables, &copy->our_tables);
	for (size_t i = 0; i < copy->their_tables.n; i++)
		if (plan.theirs[i] == AUTOSCALE_FETCH)
			add_table(copy, copy->their_tables.entry[i].name);
	for (size_t i = 0; i < copy->our_tables.n; i++)
		if (plan.deleted[i])
			add_table(copy, copy->our_tables.entry[i].name);
	autoscale_plan_done(&plan);
	autoscale_index_done(&copy->their_tables);
	autoscale_index_done(&copy->our_tables);
	snprintf(comment, sizeof(comment), "whole copy of %s", copy->serial);
	begin_transaction(m, "system", "auto-scale", 0, comment);
	copy->at = 0;
	copy->step = AUTOSCALE_GET_INDEX;
}

static void own_tables(struct autoscale_machine *m, struct autoscale_question *q) {
	struct buf_reader list;

	buf_reader_init(&list, q->list.data, q->list.len);
	if (q->code != 0)
		fail(m, "%s", q->text);
	else if (q->is_full || !add_list(&m->copy.our_tables, list, q->n))
		fail(m, "this unit has too many tables");
	autoscale_question_free(q);
	if (m->copy.step == AUTOSCALE_IDLE)
		return;
	m->copy.our_end = true;
	go_on(m);
}

static void take_tables(struct autoscale_machine *m, const struct autoscale_message *message) {
	if (!add_list(&m->copy.their_tables, message->list, message->n)) {
		fail(m, "it has too many tables");
		return;
	}
	m->copy.since = message->revision;
	m->copy.their_end = true;
	go_on(m);
}

/* ---- the index of a table ---- */

static const char *this_table(const struct autoscale_copy *copy) {
	return copy->table[copy->at];
}

static const char *last_name(const struct autoscale_index *x) {
	return x->n > 0 ? x->entry[x->n - 1].name : "";
}

static void ask_their_index(struct autoscale_machine *m) {
	struct autoscale_message question = { .type = AUTOSCALE_ASK_INDEX };

	snprintf(question.table, sizeof(question.table), "%s", this_table(&m->copy));
	snprintf(question.after, sizeof(question.after), "%s", last_name(&m->copy.theirs));
	ask_leader(m, &question);
}

static void ask_own_index(struct autoscale_machine *m) {
	struct buf request = BUF_INIT;

	buf_put_u8(&request, CTL_SYNC_INDEX);
	buf_put_str(&request, this_table(&m->copy));
	buf_put_str(&request, last_name(&m->copy.ours));
	buf_put_u32(&request, AUTOSCALE_INDEX_PAGE);
	autoscale_ask(m, &request, own_index);
}

/*
 * A page joins its index. One of another revision than the pages before begins anew: an entry that
 * has moved meanwhile could be in both or in none. False: not any more.
 */
static bool add_page(struct autoscale_copy *copy, struct autoscale_index *x, uint64_t revision,
		     struct buf_reader list, uint32_t n) {
	if (x->n > 0 && x->revision != revision) {
		autoscale_index_done(x);
		return ++copy->again < AGAIN_MAX;
	}
	x->revision = revision;
	return add_list(x, list, n);
}

/* What is not there has no page; where the last key of the page before is gone, it begins anew. */
static void own_index(struct autoscale_machine *m, struct autoscale_question *q) {
	struct autoscale_copy *copy = &m->copy;
	struct buf_reader list;
	size_t before = copy->ours.n;

	buf_reader_init(&list, q->list.data, q->list.len);
	if (q->code == ERR_NOT_FOUND)
		q->revision = UINT64_MAX;
	if (q->code != 0 && q->code != ERR_NOT_FOUND)
		fail(m, "%s", q->text);
	else if (!add_page(copy, &copy->ours, q->revision, list, q->n))
		fail(m, "%s of this unit is too large or always changes", this_table(copy));
	if (copy->step != AUTOSCALE_IDLE) {
		copy->our_end = q->n < AUTOSCALE_INDEX_PAGE && copy->ours.n >= before;
		if (!copy->our_end)
			ask_own_index(m);
		go_on(m);
	}
	autoscale_question_free(q);
}

static void take_index(struct autoscale_machine *m, const struct autoscale_message *message) {
	struct autoscale_copy *copy = &m->copy;
	size_t before = copy->theirs.n;

	if (!add_page(copy, &copy->theirs, message->revision, message->list, message->n)) {
		fail(m, "%s is too large or always changes", this_table(copy));
		return;
	}
	copy->their_end = !message->more && copy->theirs.n >= before;
	if (!copy->their_end && message->more && message->n == 0)
		fail(m, "%s has no end", this_table(copy));
	else if (!copy->their_end)
		ask_their_index(m);
	else
		go_on(m);
}

static void begin_table(struct autoscale_machine *m) {
	forget_table(&m->copy);
	ask_own_index(m);
	ask_their_index(m);
}

/* What is not there any more goes first. */
static void compare_index(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;

	autoscale_plan_make(&copy->plan, &copy->theirs, &copy->ours);
	for (size_t i = 0; i < copy->ours.n; i++)
		if (copy->plan.deleted[i])
			stage(m, &(struct operation){ .kind = OPERATION_DELETE,
						      .table = copy->table[copy->at],
						      .key = copy->ours.entry[i].name });
	autoscale_index_done(&copy->ours);
	copy->step = AUTOSCALE_GET_OBJECTS;
}

/* ---- objects ---- */

/* The one that an entry stands behind: those that are gone by now are "KEEP" without a name. */
static const char *name_before(const struct autoscale_copy *copy, size_t at) {
	while (at > 0 && !*copy->theirs.entry[at - 1].name)
		at--;
	return at > 0 ? copy->theirs.entry[at - 1].name : "";
}

static void stage_move(struct autoscale_machine *m, size_t at) {
	struct autoscale_copy *copy = &m->copy;

	stage(m, &(struct operation){ .kind = OPERATION_PLACE, .placed = true,
				      .table = copy->table[copy->at],
				      .key = copy->theirs.entry[at].name,
				      .after = (char *)name_before(copy, at) });
}

/* Move what only needs that, up to the next one that must be fetched. */
static void pass_unfetched(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;

	for (; copy->fetched < copy->theirs.n; copy->fetched++) {
		if (copy->plan.theirs[copy->fetched] == AUTOSCALE_FETCH)
			return;
		if (copy->plan.theirs[copy->fetched] == AUTOSCALE_MOVE)
			stage_move(m, copy->fetched);
	}
}

static void ask_objects(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;
	struct autoscale_message question = { .type = AUTOSCALE_ASK_OBJECTS };
	AUTO_BUF struct buf keys = BUF_INIT;
	size_t i = copy->fetched;

	for (; i < copy->theirs.n && question.n < AUTOSCALE_KEYS_MAX &&
	       keys.len < AUTOSCALE_QUESTION_MAX / 2; i++) {
		if (copy->plan.theirs[i] != AUTOSCALE_FETCH)
			continue;
		autoscale_message_put_key(&keys, this_table(copy), copy->theirs.entry[i].name);
		question.n++;
	}
	copy->asked_to = i;
	buf_reader_init(&question.list, keys.data, keys.len);
	ask_leader(m, &question);
}

/* An object of the answer, which must be the next that was asked for. */
static bool take_object(struct autoscale_machine *m, struct operation *o) {
	struct autoscale_copy *copy = &m->copy;
	struct autoscale_entry *e;

	pass_unfetched(m);
	if (copy->fetched >= copy->asked_to)
		return false;
	e = &copy->theirs.entry[copy->fetched];
	if (strcmp(o->table, this_table(copy)) != 0 || strcmp(o->key, e->name) != 0 ||
	    o->kind == OPERATION_PLACE)
		return false;
	if (o->kind == OPERATION_PUT && o->placed) {
		free(o->after);
		o->after = xstrdup(name_before(copy, copy->fetched));
	}
	stage(m, o);
	if (o->kind == OPERATION_DELETE)
		*e->name = '\0';
	copy->fetched++;
	return true;
}

static void take_objects(struct autoscale_machine *m, const struct autoscale_message *message) {
	struct buf_reader list = message->list;

	if (message->n == 0)
		fail(m, "%s %s is too long to be sent", this_table(&m->copy),
		     m->copy.theirs.entry[m->copy.fetched].name);
	for (uint32_t i = 0; i < message->n && m->copy.step != AUTOSCALE_IDLE; i++) {
		struct operation o;

		operation_decode(&o, &list);
		if (!take_object(m, &o))
			fail(m, "an object came that was not asked for");
		operation_done(&o);
	}
	if (m->copy.step != AUTOSCALE_IDLE)
		go_on(m);
}

/* ---- from step to step ---- */

static void next_table(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;

	forget_table(copy);
	copy->at++;
	copy->step = AUTOSCALE_GET_INDEX;
}

/* What can go on without a further answer. */
static void go_on(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;

	if (copy->step == AUTOSCALE_GET_TABLES && copy->their_end && copy->our_end) {
		compare_tables(m);
		copy->their_end = copy->our_end = false;
		if (copy->n_tables > 0)
			begin_table(m);
	}
	if (copy->step == AUTOSCALE_GET_INDEX && copy->their_end && copy->our_end)
		compare_index(m);
	if (copy->step == AUTOSCALE_GET_OBJECTS && copy->id == 0 && copy->staging < STAGED_MAX) {
		pass_unfetched(m);
		if (copy->fetched < copy->theirs.n)
			ask_objects(m);
		else
			next_table(m);
		if (copy->step == AUTOSCALE_GET_INDEX && copy->at < copy->n_tables)
			begin_table(m);
	}
	if (copy->step == AUTOSCALE_GET_INDEX && copy->at == copy->n_tables) {
		copy->step = AUTOSCALE_GET_REST;
		ask_changes(m, copy->since);
	}
}

/* ---- answers ---- */

/* Too much has changed meanwhile: once more from the beginning. */
static void begin_again(struct autoscale_machine *m) {
	struct autoscale_copy old = m->copy;

	drop(m);
	memcpy(m->copy.serial, old.serial, sizeof(old.serial));
	m->copy.epoch = old.epoch;
	m->copy.channel = old.channel;
	m->copy.heals = old.heals;
	m->copy.again = old.again;
	begin_whole(m);
}

static void take_no(struct autoscale_machine *m, const struct autoscale_message *no) {
	struct autoscale_copy *copy = &m->copy;

	if (no->why != AUTOSCALE_TOO_FAR) {
		fail(m, "it cannot send it: %s", no->text);
	} else if (copy->step == AUTOSCALE_GET_CHANGES) {
		begin_whole(m);
	} else if (++copy->again >= AGAIN_MAX) {
		fail(m, "it changes faster than it can be copied");
	} else if (copy->step == AUTOSCALE_GET_INDEX) {
		autoscale_index_done(&copy->theirs);
		ask_their_index(m);
	} else {
		begin_again(m);
	}
}

static bool is_answer(enum autoscale_step step, enum autoscale_type type) {
	static const enum autoscale_type wanted[] = {
		[AUTOSCALE_GET_CHANGES] = AUTOSCALE_CHANGES,
		[AUTOSCALE_GET_TABLES] = AUTOSCALE_TABLES,
		[AUTOSCALE_GET_INDEX] = AUTOSCALE_INDEX,
		[AUTOSCALE_GET_OBJECTS] = AUTOSCALE_OBJECTS,
		[AUTOSCALE_GET_REST] = AUTOSCALE_CHANGES,
		[AUTOSCALE_COMMIT] = AUTOSCALE_TYPES,
	};

	return type == AUTOSCALE_NO || wanted[step] == type;
}

static void take_answer(struct autoscale_machine *m, const struct autoscale_message *message) {
	m->copy.id = 0;
	if (!is_answer(m->copy.step, message->type))
		fail(m, "its answer is to another question");
	else if (message->type == AUTOSCALE_NO)
		take_no(m, message);
	else if (message->type == AUTOSCALE_CHANGES)
		take_changes(m, message);
	else if (message->type == AUTOSCALE_TABLES)
		take_tables(m, message);
	else if (message->type == AUTOSCALE_INDEX)
		take_index(m, message);
	else
		take_objects(m, message);
}

static void begin(struct autoscale_machine *m) {
	struct autoscale_copy *copy = &m->copy;

	memcpy(copy->serial, m->leader->serial, sizeof(copy->serial));
	copy->epoch = m->leader->standing.epoch;
	copy->channel = m->leader->channel->number;
}

/* Whether gatehoused knows whom this unit follows, and a transaction may begin. */
static bool may_begin(const struct autoscale_machine *m) {
	const struct autoscale_member *p = m->leader;

	return p && p->channel && m->desk && m->copy.step == AUTOSCALE_IDLE && !m->a.primary &&
	       autoscale_role_is_known(m) && m->now_us >= m->retry_us;
}

static bool is_known_here(const struct autoscale_machine *m) {
	return m->leader && strcmp(m->at, m->leader->serial) == 0 && m->at_revision > 0;
}

/* What a leader says of revision and digests holds for its standing as well. */
static void note_news(struct autoscale_member *p, const struct autoscale_message *changes) {
	if (changes->revision <= p->standing.revision)
		return;
	p->standing.revision = changes->revision;
	p->standing.active = changes->digests;
}

static void take_push(struct autoscale_machine *m, const struct autoscale_message *changes) {
	note_news(m->leader, changes);
	if (!may_begin(m) || !is_known_here(m) || changes->since != m->at_revision ||
	    m->next_whole)
		return;
	begin(m);
	take_changes(m, changes);
}

void autoscale_copy_message(struct autoscale_machine *m, struct autoscale_channel *c,
			    const struct autoscale_message *message) {
	if (!m->leader || c->member != m->leader)
		return;
	if (message->id != 0 && message->id == m->copy.id) {
		if (message->type == AUTOSCALE_CHANGES)
			note_news(m->leader, message);
		take_answer(m, message);
	} else if (message->id == 0 && message->type == AUTOSCALE_CHANGES) {
		take_push(m, message);
	}
}

/* ---- when ---- */

bool autoscale_copy_is_current(const struct autoscale_machine *m) {
	return is_known_here(m) && m->at_revision == m->leader->standing.revision &&
	       m->a.group.epoch == m->leader->standing.epoch && !m->next_whole;
}

static bool is_same(const struct autoscale_machine *m) {
	return memcmp(m->a.active.all, m->leader->standing.active.all, DIGEST_LEN) == 0;
}

void autoscale_copy_begin(struct autoscale_machine *m) {
	bool heals;

	if (!may_begin(m))
		return;
	heals = autoscale_copy_is_current(m) && m->now_us >= m->verify_us && !is_same(m);
	if (autoscale_copy_is_current(m) && !heals)
		return;
	begin(m);
	m->copy.heals = heals;
	if (heals || m->next_whole || !is_known_here(m) ||
	    m->at_revision > m->leader->standing.revision) {
		begin_whole(m);
		return;
	}
	m->copy.step = AUTOSCALE_GET_CHANGES;
	ask_changes(m, m->at_revision);
}

void autoscale_copy_tick(struct autoscale_machine *m) {
	const struct autoscale_copy *copy = &m->copy;
	const struct autoscale_member *p = m->leader;

	if (copy->step == AUTOSCALE_IDLE || copy->step == AUTOSCALE_COMMIT)
		return;
	if (!p || strcmp(p->serial, copy->serial) != 0 || p->standing.epoch != copy->epoch)
		autoscale_copy_abort(m, "another one leads");
	else if (!p->channel || p->channel->number != copy->channel)
		autoscale_copy_abort(m, "the connection broke");
	else if (copy->id != 0 && m->now_us >= copy->asked_us + ANSWER_US)
		fail(m, "it does not answer");
}

uint64_t autoscale_copy_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	if (m->copy.step == AUTOSCALE_IDLE && m->leader) {
		due = m->retry_us > m->now_us ? m->retry_us : due;
		due = m->verify_us > m->now_us ? autoscale_min(due, m->verify_us) : due;
		return due;
	}
	return m->copy.id != 0 ? m->copy.asked_us + ANSWER_US : AUTOSCALE_NEVER;
}

size_t autoscale_copy_memory(const struct autoscale_machine *m) {
	const struct autoscale_copy *copy = &m->copy;

	return copy->their_tables.bytes + copy->our_tables.bytes + copy->theirs.bytes +
	       copy->ours.bytes + copy->n_tables * 64;
}
