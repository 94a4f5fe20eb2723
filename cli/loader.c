/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines go to a shell of their own, as those of a script do; what is added is what a file from
 * elsewhere needs:
 *
 *   frames     `config global` and `config vdom`, `edit root` around it are read over
 *   ends       a `next` or `end` that is missing before this line is put in, with a warning
 *   order      an entry, or object, in which a line failed that may do better later is carried out
 *              once more when the file is over, again and again as long as fewer lines fail, and
 *              gets the place that it has in the file
 *   account    every line with a meaning counts as taken, warned or refused; with an entry that
 *              cannot be saved all its lines are refused
 *
 * What the shell prints is dropped.
 */
#include "cli/loader.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/grammar.h"

#define VDOM_ROOT   "root"
#define WAITING_MAX 100000 /* entries that are carried out again */

/* Counts when a level was opened. */
struct mark {
	unsigned long lines[TALLY_KINDS];
	unsigned long landed;
};

/* A top-level entry or object: what is carried out again. */
struct unit {
	size_t start, end;       /* of its text */
	unsigned long line;      /* where it begins */
	char *frame;             /* the `config` around an entry; NULL: an object has none */
	size_t rank;             /* of an entry of an ordered table, from 1; 0: it has none */
	struct tally tally;
	bool again;              /* it may do better later */
};

/* An entry of an ordered table, as the file has them. */
struct ranked {
	const struct schema_table *table;
	char *key;
};

/* What a file has around its configuration. */
enum vdom_frame {
	VDOM_NONE,
	VDOM_GLOBAL,             /* config global */
	VDOM_LIST,               /* config vdom */
	VDOM_ENTRY,              /* edit NAME in it */
};

struct loader {
	const struct loader_input *in;
	struct shell sh;
	struct out out;
	struct batch batch;
	struct lines lines;
	struct tally *total;
	enum vdom_frame vdom;
	bool foreign;            /* the virtual domain is none of ours */
	unsigned int foreign_depth; /* `config` that are open in it */
	struct unit unit;        /* the one that is open */
	bool in_unit;
	size_t unit_depth;       /* levels below it */
	struct str frame;        /* line of the `config` of the open table */
	const char *path;        /* of the table that is open, or was last */
	size_t indent;           /* blanks before the `config` of the block */
	bool indented;           /* lines in it have more of them */
	struct mark marks[CONTEXT_DEPTH_MAX + 1];
	struct tally_group cause; /* why lines are being left out */
	struct unit *waiting;    /* n of them, to be carried out again */
	size_t n_waiting;
	const struct unit *repeating; /* the one that is carried out again, or NULL */
	struct ranked *ranked;   /* n of them */
	size_t n_ranked;
	/* the line under way */
	unsigned long number;
	size_t start;            /* where it begins; after the last line: where that ends */
	const struct words *words;
	struct err err;          /* code 0: it has not failed */
	bool warned;
};

/* ---- the account ---- */

static struct tally *tally_here(struct loader *l) {
	return l->in_unit ? &l->unit.tally : l->total;
}

/* Whether an error was found before this word. */
static bool is_refused_word(const struct loader *l, const char *word) {
	AUTO_FREE char *text = xasprintf("\ncommand parse error before '%s'", word);

	return l->err.code == ERR_PARSE && strcmp(l->err.text, text) == 0;
}

/* What a line is about, without its values. */
static char *subject(const struct loader *l) {
	const struct context *ctx = &l->sh.context;
	const struct words *w = l->words;
	bool is_path = ctx->depth == 0 && batch_verb(w) == VERB_CONFIG;
	size_t most = is_path ? GRAMMAR_WORDS_MAX : batch_verb(w) == VERB_EDIT ? 1 : 2;
	AUTO_STR struct str text = STR_INIT;

	if (l->path && (ctx->depth > 0 || batch_verb(w) == VERB_CLOSE))
		str_addf(&text, "%s: ", l->path);
	str_addf(&text, "%.100s", w->n > 0 ? w->w[0] : "line");
	for (size_t i = 1; i < w->n && i < most; i++) {
		str_addf(&text, " %.100s", w->w[i]);
		if (is_path && is_refused_word(l, w->w[i]))
			break;
	}
	err_clean_line(text.data);
	return str_steal(&text);
}

/* A name that is not known at its place: all that a foreign file has too much. */
static bool is_unknown(const struct loader *l) {
	const struct words *w = l->words;
	enum verb verb = batch_verb(w);

	if (l->err.code != ERR_PARSE || w->n < 2)
		return false;
	return verb == VERB_CONFIG || (verb == VERB_OTHER && is_refused_word(l, w->w[1]));
}

/* The lines of an error as one, without the one that repeats the command. */
static void add_reason(const char *text, struct str *out) {
	while (*text) {
		size_t n = strcspn(text, "\n");
		bool wanted = n > 0 && strncmp(text, "node_check_object", 17) != 0;

		if (wanted && out->len > 0)
			str_add(out, "; ");
		if (wanted)
			str_add_bytes(out, text, n);
		text += n + (text[n] != '\0');
	}
}

static void say(struct loader *l, enum tally_kind kind, int code, const char *about,
		const char *reason, unsigned long lines) {
	AUTO_STR struct str text = STR_INIT;
	const struct tally_group why = { .kind = kind, .code = code, .subject = (char *)about,
					 .first = l->number, .times = 1, .lines = lines };
	struct tally_group whole = why;

	add_reason(reason, &text);
	if (text.len > 0)
		err_clean_line(text.data);
	whole.reason = (char *)str_text(&text);
	tally_say(tally_here(l), &whole);
}

/* The line under way is taken, but something is to be said of it. */
static void warn(struct loader *l, const char *reason) {
	AUTO_FREE char *about = subject(l);

	l->warned = true;
	say(l, TALLY_WARNED, 0, about, reason, 1);
}

/* Lines that were taken since a level was opened, and with it were not. */
static unsigned long take_back(struct loader *l, size_t level) {
	struct tally *t = tally_here(l);
	const struct mark *mark = &l->marks[level];
	unsigned long lost = 0;

	for (int kind = TALLY_TAKEN; kind <= TALLY_WARNED; kind++) {
		if (t->lines[kind] <= mark->lines[kind])
			continue;
		lost += t->lines[kind] - mark->lines[kind];
		t->lines[kind] = mark->lines[kind];
	}
	t->lines[TALLY_REFUSED] += lost;
	t->landed = mark->landed;
	return lost;
}

static bool is_short_for(const char *word, const char *whole) {
	return *word && strncmp(word, whole, strlen(word)) == 0;
}

/* Whether the line under way, which was taken, makes an entry or sets an attribute. */
static bool lands(const struct loader *l) {
	static const char *const makers[] = { "edit", "set", "append", "select", "clone" };

	if (l->sh.context.depth == 0 || l->words->n < 2)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		if (is_short_for(l->words->w[0], makers[i]))
			return true;
	return false;
}

static bool is_abort(const struct loader *l) {
	return l->words->n > 0 && is_short_for(l->words->w[0], "abort");
}

/* What was set in what an `abort` closes is not to be; entries that were saved before it stay. */
static void forget_landed(struct loader *l) {
	size_t depth = l->sh.context.depth;

	depth = depth > l->unit_depth ? depth : l->unit_depth;
	if (l->in_unit)
		l->unit.tally.landed = l->marks[depth].landed;
}

/* Count the line under way, if it is one of the file; `lost` were refused with it. */
static void count(struct loader *l, enum batch_outcome outcome, bool of_file, unsigned long lost) {
	struct tally *t = tally_here(l);
	AUTO_FREE char *about = subject(l);

	if (outcome == BATCH_DONE) {
		t->lines[l->warned ? TALLY_WARNED : TALLY_TAKEN] += of_file;
		t->landed += lands(l);
		return;
	}
	t->lines[TALLY_REFUSED] += of_file;
	if (outcome == BATCH_FAILED && is_unknown(l)) {
		say(l, TALLY_UNKNOWN, 0, about, "not known here", lost + of_file);
	} else if (outcome == BATCH_FAILED) {
		say(l, TALLY_REFUSED, l->err.code == ERR_UNKNOWN ? 0 : l->err.code, about,
		    l->err.text, lost + of_file);
	} else if (l->cause.subject) {
		l->cause.times = 0;
		l->cause.lines = of_file;
		tally_say(t, &l->cause);
	}
}

/* What comes now is left out for the reason of the line under way. */
static void keep_cause(struct loader *l) {
	free(l->cause.subject);
	l->cause = (struct tally_group){
		.kind = is_unknown(l) ? TALLY_UNKNOWN : TALLY_REFUSED,
		.code = is_unknown(l) ? 0 : l->err.code,
		.subject = subject(l),
		.first = l->number
	};
	l->cause.reason = (char *)"";
}

static void on_error(void *arg, const struct err *err) {
	struct loader *l = arg;

	l->err = *err;
}

static void on_warning(void *arg, const char *text) {
	warn(arg, text);
}

/* ---- entries and objects ---- */

static void unit_done(struct unit *u) {
	free(u->frame);
	tally_clear(&u->tally);
}

static size_t rank_new(struct loader *l, const struct level *top) {
	if ((l->n_ranked & (l->n_ranked - 1)) == 0)
		l->ranked = xreallocarray(l->ranked, l->n_ranked ? l->n_ranked * 2 : 1,
					  sizeof(*l->ranked));
	l->ranked[l->n_ranked++] = (struct ranked){ top->table, xstrdup(top->obj->key) };
	return l->n_ranked;
}

/* Move an entry before or behind another one of the file, if that is there. */
static bool place_beside(struct loader *l, const struct ranked *r, const struct ranked *other,
			 bool before) {
	struct err err;
	int rc;

	if (other->table != r->table || strcmp(other->key, r->key) == 0)
		return false;
	rc = client_place(l->sh.client, r->table, r->key, before, other->key, &err);
	l->sh.lost |= rc == ERR_TIMEOUT;
	return rc == 0;
}

/* Give an entry that came late the place behind what precedes it in the file. */
static void place_late(struct loader *l, size_t rank) {
	const struct ranked *r = &l->ranked[rank - 1];

	for (size_t i = rank - 1; i-- > 0;)
		if (l->sh.lost || place_beside(l, r, &l->ranked[i], false))
			return;
	for (size_t i = rank; i < l->n_ranked; i++)
		if (l->sh.lost || place_beside(l, r, &l->ranked[i], true))
			return;
}

/* The line under way has opened an entry or an object of the top. */
static void unit_begin(struct loader *l, size_t depth) {
	const struct level *top = context_top(&l->sh.context);

	l->unit = (struct unit){ .start = l->start, .line = l->number };
	if (top->kind == LEVEL_ENTRY)
		l->unit.frame = xstrdup(str_text(&l->frame));
	if (l->repeating)
		l->unit.rank = l->repeating->rank;
	else if (top->kind == LEVEL_ENTRY && (top->table->flags & TABLE_ORDERED))
		l->unit.rank = rank_new(l, top);
	l->in_unit = true;
	l->unit_depth = depth;
	memset(&l->marks[depth], 0, sizeof(l->marks[depth]));
}

/* Whether a failure may be due to what comes later in the file. */
static bool may_do_better(int code) {
	return code == ERR_NOT_FOUND || code == ERR_CONFLICT || code == ERR_IN_USE;
}

/* A number that was drawn would be drawn again. */
static bool is_repeatable(const struct loader *l, bool saved) {
	const char *text = l->in->text + l->unit.start;
	const char *edit = text + strspn(text, " \t\r\n");

	return !saved || strncmp(edit, "edit 0", 6) != 0;
}

/* The line under way has closed it, or, when it stands not in the file, comes behind it. */
static void unit_end(struct loader *l, bool of_file, bool saved) {
	l->in_unit = false;
	l->unit.end = of_file ? l->lines.pos : l->start;
	if (saved && l->repeating && l->unit.rank)
		place_late(l, l->unit.rank);
	if (l->unit.again && l->n_waiting < WAITING_MAX && is_repeatable(l, saved)) {
		if ((l->n_waiting & (l->n_waiting - 1)) == 0)
			l->waiting = xreallocarray(l->waiting, l->n_waiting ? l->n_waiting * 2 : 1,
						   sizeof(*l->waiting));
		l->waiting[l->n_waiting++] = l->unit;
		return;
	}
	tally_add(l->total, &l->unit.tally);
	unit_done(&l->unit);
}

/* ---- one line ---- */

static void note_opened(struct loader *l, const char *line, size_t depth) {
	struct tally *t = tally_here(l);

	for (size_t i = depth; i < l->sh.context.depth; i++) {
		memcpy(l->marks[i].lines, t->lines, sizeof(l->marks[i].lines));
		l->marks[i].landed = t->landed;
	}
	if (depth == 0) {
		str_clear(&l->frame);
		str_add(&l->frame, line);
		l->path = l->sh.context.levels[0].frame;
	}
}

/* Carry out a line; of_file: it stands there, and was not put in. */
static void run_line(struct loader *l, const char *line, bool of_file) {
	size_t depth = l->sh.context.depth;
	const struct level *top;
	enum batch_outcome outcome;
	bool was_left_out = l->batch.left_out != 0;
	unsigned long lost = 0;

	l->err.code = 0;
	outcome = batch_command(&l->batch, line);
	str_clear(&l->out.pending);
	top = context_top(&l->sh.context);
	if (l->sh.context.depth > depth) {
		note_opened(l, line, depth);
		if (!l->in_unit && (top->kind == LEVEL_ENTRY || top->kind == LEVEL_OBJECT))
			unit_begin(l, depth);
	}
	if (outcome == BATCH_FAILED && l->sh.context.depth < depth)
		lost = take_back(l, depth - 1);
	if (outcome == BATCH_DONE && l->sh.context.depth < depth && is_abort(l))
		forget_landed(l);
	if (!was_left_out && l->batch.left_out)
		keep_cause(l);
	l->unit.again |= outcome == BATCH_FAILED && may_do_better(l->err.code);
	count(l, outcome, of_file, lost);
	if (l->in_unit && l->sh.context.depth <= l->unit_depth)
		unit_end(l, of_file, outcome != BATCH_FAILED);
}

static void refuse_line(struct loader *l, int code, const char *reason) {
	err_set(&l->err, code, "%s", reason);
	count(l, BATCH_FAILED, true, 0);
}

/* ---- ends that are missing ---- */

/* Put in a `next` or `end`. */
static void put_in(struct loader *l, const char *word) {
	const struct words *of_line = l->words;
	AUTO_WORDS struct words words = { 0 };

	lex_words(word, &words, NULL);
	l->words = &words;
	run_line(l, word, false);
	l->words = of_line;
}

/* Close all that is open, or left out. */
static void close_all(struct loader *l) {
	for (unsigned int n = 0; n < 4 * CONTEXT_DEPTH_MAX; n++) {
		if (!l->batch.left_out && l->sh.context.depth == 0)
			return;
		put_in(l, "end");
		if (l->sh.lost)
			return;
	}
}

static bool is_word(const struct words *w, size_t i, const char *word) {
	return i < w->n && strcmp(w->w[i], word) == 0;
}

static bool is_vdom_line(const struct words *w) {
	return w->n == 2 && batch_verb(w) == VERB_CONFIG &&
	       (is_word(w, 1, "vdom") || is_word(w, 1, "global"));
}

static size_t blanks(const char *line) {
	return strspn(line, " \t");
}

/* Whether the line opens a table of the top, for which all else would have to be closed. */
static bool begins_block(struct loader *l, const char *line) {
	const struct level *top = context_top(&l->sh.context);
	struct call call;

	if (batch_verb(l->words) != VERB_CONFIG || l->words->n < 2)
		return false;
	if (!l->batch.left_out && top && top->obj && l->words->n == 2 &&
	    grammar_attr(top->obj, l->words->w[1], ARGS_CHILD, NULL) >= 0)
		return false;
	if (is_vdom_line(l->words) || (l->indented && blanks(line) <= l->indent))
		return true;
	return !l->batch.left_out &&
	       grammar_parse(commands, LEVEL_ROOT, client_info(l->sh.client), l->words->w,
			     l->words->n, &call, NULL) == 0;
}

/* Whether an entry is open that this `edit` cannot be in. */
static bool lacks_next(const struct loader *l) {
	const struct context *ctx = &l->sh.context;

	if (batch_verb(l->words) != VERB_EDIT)
		return false;
	if (l->batch.left_out)
		return l->batch.entry && l->batch.nested == 0;
	return context_kind(ctx) == LEVEL_ENTRY;
}

static void put_in_ends(struct loader *l, const char *line) {
	if (l->sh.context.depth == 0 && !l->batch.left_out)
		return;
	if (begins_block(l, line)) {
		close_all(l);
		warn(l, "an `end` is missing before this line");
	} else if (lacks_next(l)) {
		put_in(l, "next");
		warn(l, "a `next` is missing before this line");
	}
}

/* ---- frames of virtual domains ---- */

static void take_frame(struct loader *l, enum vdom_frame frame) {
	l->vdom = frame;
	count(l, BATCH_DONE, true, 0);
}

/* A line of a virtual domain that is none of ours. */
static void foreign_line(struct loader *l, enum verb verb) {
	bool ends = l->foreign_depth == 0 && (verb == VERB_CLOSE || verb == VERB_NEXT);

	l->foreign_depth += verb == VERB_CONFIG;
	l->foreign_depth -= verb == VERB_CLOSE && !ends;
	say(l, TALLY_REFUSED, 0, "config vdom", "there is one virtual domain here, root", 1);
	l->total->lines[TALLY_REFUSED]++;
	if (!ends)
		return;
	l->foreign = false;
	l->vdom = verb == VERB_NEXT ? VDOM_LIST : VDOM_NONE;
}

/* Whether the line belongs to a frame; then it is done. */
static bool frame_line(struct loader *l) {
	const struct words *w = l->words;
	enum verb verb = batch_verb(w);

	if (l->foreign) {
		foreign_line(l, verb);
		return true;
	}
	if (l->sh.context.depth > 0 || l->batch.left_out)
		return false;
	if (is_vdom_line(w)) {
		take_frame(l, is_word(w, 1, "global") ? VDOM_GLOBAL : VDOM_LIST);
	} else if (l->vdom == VDOM_LIST && verb == VERB_EDIT && w->n == 2) {
		l->foreign = strcmp(w->w[1], VDOM_ROOT) != 0;
		l->foreign_depth = 0;
		if (l->foreign)
			foreign_line(l, VERB_OTHER);
		else
			take_frame(l, VDOM_ENTRY);
	} else if (l->vdom == VDOM_ENTRY && verb == VERB_NEXT) {
		take_frame(l, VDOM_LIST);
	} else if (l->vdom != VDOM_NONE && verb == VERB_CLOSE) {
		take_frame(l, VDOM_NONE);
	} else {
		return false;
	}
	return true;
}

/* ---- the file ---- */

/* Only what changes the configuration is carried out, and no `show`, whatever follows it. */
static const char *objection(const struct loader *l) {
	struct words longer = *l->words;
	enum verb verb;
	bool at_root = l->sh.context.depth == 0 && !l->batch.left_out;

	longer.n += longer.n == 1;
	verb = batch_verb(&longer);
	if (verb == VERB_LOOK || verb == VERB_QUIT || (at_root && verb == VERB_OTHER))
		return "this is no configuration";
	if (at_root && verb == VERB_EDIT)
		return "no table is open here";
	return NULL;
}

/* How the lines of a block stand tells where the next block begins, should an `end` be missing. */
static void note_indent(struct loader *l, const char *line) {
	if (l->sh.context.depth > 0 || l->batch.left_out) {
		l->indented |= blanks(line) > l->indent;
	} else {
		l->indent = blanks(line);
		l->indented = false;
	}
}

static void whole_line(struct loader *l, const char *line) {
	const char *why;

	if (frame_line(l))
		return;
	put_in_ends(l, line);
	if (l->sh.lost || frame_line(l))
		return;
	note_indent(l, line);
	why = objection(l);
	if (why) {
		refuse_line(l, 0, why);
	} else if (l->sh.context.depth == 0 && !l->batch.left_out &&
		   batch_verb(l->words) != VERB_CONFIG) {
		warn(l, "nothing is open here");
		count(l, BATCH_DONE, true, 0);
	} else {
		run_line(l, line, true);
	}
}

static bool is_void(const char *line) {
	line += strspn(line, " \t\r\n");
	return *line == '\0' || *line == '#';
}

/* Carry out all lines; false when it is to end. */
static bool read_lines(struct loader *l) {
	AUTO_STR struct str line = STR_INIT;
	struct err err;
	int rc;

	l->start = l->lines.pos;
	while (!l->sh.lost && (rc = lines_next(&l->lines, &line, &err)) != 0) {
		AUTO_WORDS struct words words = { 0 };

		l->number = l->lines.first;
		l->words = &words;
		l->warned = false;
		if (rc > 0)
			lex_words(str_text(&line), &words, NULL);
		if (rc < 0)
			refuse_line(l, err.code, err.text);
		else if (!is_void(str_text(&line)))
			whole_line(l, str_text(&line));
		l->start = l->lines.pos;
		if (l->in->step && l->in->step(l->in->arg, l->start))
			return false;
	}
	return !l->sh.lost;
}

/* The file is over and something is open. */
static void end_of_file(struct loader *l) {
	AUTO_WORDS struct words words = { 0 };
	struct tally *t = tally_here(l);
	unsigned long lost;

	l->words = &words;
	if (l->vdom == VDOM_NONE && l->sh.context.depth == 0 && !l->batch.left_out)
		return;
	l->number = l->lines.number;
	if (!l->in->exact) {
		close_all(l);
		say(l, TALLY_WARNED, 0, "end of the file", "an `end` is missing", 0);
		return;
	}
	lost = l->in_unit ? take_back(l, l->unit_depth) : 0;
	if (lost == 0 && t->lines[TALLY_TAKEN] > 0) { /* the `config` of the table */
		t->lines[TALLY_TAKEN]--;
		t->lines[TALLY_REFUSED] += lost = 1;
	}
	say(l, TALLY_REFUSED, 0, "end of the file", "it is cut off: an `end` is missing", lost);
	l->unit.again = false;
	context_drop(&l->sh.context);
	l->batch.left_out = 0;
	if (l->in_unit)
		unit_end(l, false, false);
}

/* ---- once more ---- */

/* Carry out a unit again; it may wait once more. */
static bool repeat(struct loader *l, const struct unit *u) {
	AUTO_WORDS struct words words = { 0 };
	bool going;

	l->repeating = u;
	lines_open_bytes(&l->lines, l->in->text, u->end);
	l->lines.pos = u->start;
	l->lines.number = u->line - 1;
	l->words = &words;
	if (u->frame)
		batch_command(&l->batch, u->frame);
	str_clear(&l->out.pending);
	if (u->frame)
		note_opened(l, u->frame, 0);
	going = read_lines(l);
	l->words = &words;
	if (going)
		close_all(l);
	return going && !l->sh.lost;
}

static unsigned long refused_in(const struct unit *units, size_t n) {
	unsigned long sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += units[i].tally.lines[TALLY_REFUSED];
	return sum;
}

static void units_done(struct unit *units, size_t n) {
	for (size_t i = 0; i < n; i++)
		unit_done(&units[i]);
	free(units);
}

/* Carry out again what waits, as long as that helps. */
static bool repeat_all(struct loader *l) {
	unsigned long before, after = refused_in(l->waiting, l->n_waiting);
	bool going = true;

	do {
		struct unit *units = l->waiting;
		size_t n = l->n_waiting;

		before = after;
		l->waiting = NULL;
		l->n_waiting = 0;
		for (size_t i = 0; i < n && going; i++)
			going = repeat(l, &units[i]);
		units_done(units, n);
		after = refused_in(l->waiting, l->n_waiting);
	} while (going && l->n_waiting > 0 && after < before);
	for (size_t i = 0; i < l->n_waiting; i++)
		tally_add(l->total, &l->waiting[i].tally);
	return going;
}

/* ---- the whole ---- */

static void loader_init(struct loader *l, const struct loader_input *in, struct tally *ret) {
	*l = (struct loader){ .in = in, .total = ret };
	out_init(&l->out, -1);
	shell_init(&l->sh, in->client, &l->out, SHELL_COMMIT_ALL);
	l->sh.context.leaves_uuid = true; /* what stays keeps its own */
	l->sh.report = on_error;
	l->sh.warn = on_warning;
	l->sh.report_arg = l;
	l->batch = (struct batch){ .sh = &l->sh, .lines = &l->lines };
	lines_open_bytes(&l->lines, in->text, in->size);
}

static void loader_done(struct loader *l) {
	if (l->in_unit)
		unit_done(&l->unit);
	units_done(l->waiting, l->n_waiting);
	for (size_t i = 0; i < l->n_ranked; i++)
		free(l->ranked[i].key);
	free(l->ranked);
	free(l->cause.subject);
	str_done(&l->frame);
	context_drop(&l->sh.context);
	shell_done(&l->sh);
	out_done(&l->out);
}

enum loader_end loader_run(const struct loader_input *in, struct tally *ret) {
	struct loader l;
	enum loader_end end;
	bool going;

	loader_init(&l, in, ret);
	going = read_lines(&l);
	if (going)
		end_of_file(&l);
	going = going && repeat_all(&l);
	end = l.sh.lost ? LOADER_LOST : going ? LOADER_DONE : LOADER_STOPPED;
	loader_done(&l);
	return end;
}
