/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grep beside grep(1): random texts, patterns and options must give the same bytes, however the
 * text is cut into pieces. What grep(1) has not, whole blocks of the configuration, is compared
 * with a second, slower way to find them: all lines at once, the blocks as ranges of lines.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cli/backlog.h"
#include "cli/grep.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define WORDS_MAX 16

static void take(void *arg, const char *text, size_t len) {
	str_add_bytes(arg, text, len);
}

/* Filter text in random pieces; *out is appended to. */
static void run_grep(struct rng *r, char *const words[], size_t n, const char *text,
		     struct str *out) {
	size_t len = strlen(text);
	struct grep *g;
	struct err err;

	ck_assert_msg(grep_new(words, n, take, out, &g, &err) == 0, "%s", err.text);
	while (len > 0) {
		size_t piece = 1 + rng_below(r, 40);

		piece = piece < len ? piece : len;
		grep_text(g, text, piece);
		text += piece;
		len -= piece;
	}
	grep_end(g);
	grep_free(g);
}

static void write_file(const char *path, const char *text) {
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- grep(1) ---- */

struct sample {
	char text[400];
	char words[WORDS_MAX][16];
	size_t n;
};

static void sample_text(struct rng *r, struct sample *s) {
	static const char letters[] = "aaabbBA.*\\[ \n\n\n";
	size_t len = rng_below(r, sizeof(s->text));

	for (size_t i = 0; i < len; i++)
		s->text[i] = letters[rng_below(r, sizeof(letters) - 1)];
	s->text[len] = '\0';
}

static void sample_word(struct sample *s, const char *format, const char *letters, unsigned int n) {
	snprintf(s->words[s->n++], sizeof(s->words[0]), format, letters, n);
}

/* Options joined or apart, before or after the pattern. */
static void sample_words(struct rng *r, struct sample *s) {
	static const char *const patterns[] = { "a", "b", "ab", "AB", "^a", "b$", ".", "a*b", "a.b",
						"[ab]b", "a\\.", "\\\\", "^$", "a\\|B", "\\(ab\\)*",
						"*", "zz", "a\\{2\\}", "[^ab]", "b\\+" };
	static const char *const letters[] = { "i", "n", "v", "c", "in", "vn", "ic", "niv" };
	unsigned int at = rng_below(r, 4);

	s->n = 0;
	for (unsigned int i = 0; i < 4; i++) {
		if (i == at)
			sample_word(s, "%s", patterns[rng_below(r, ARRAY_LEN(patterns))], 0);
		switch (rng_below(r, 8)) {
		case 0:
			sample_word(s, "-%s", letters[rng_below(r, ARRAY_LEN(letters))], 0);
			break;
		case 1:
			sample_word(s, "-%s%u", (const char *[]){ "A", "B", "C" }[rng_below(r, 3)],
				    rng_below(r, 4));
			break;
		case 2:
			sample_word(s, "-%s", (const char *[]){ "A", "nB", "C" }[rng_below(r, 3)], 0);
			sample_word(s, "%s%u", "", rng_below(r, 4));
			break;
		default:
			break;
		}
	}
}

/* One line of a shell script that has grep(1) write what it finds. */
static void sample_script(const struct sample *s, struct str *script, const char *dir,
			  unsigned int number) {
	str_addf(script, "grep");
	for (size_t i = 0; i < s->n; i++)
		str_addf(script, " '%s'", s->words[i]);
	str_addf(script, " <%s/text%u >%s/want%u\n", dir, number, dir, number);
}

static char *read_file(const char *path) {
	struct str text = STR_INIT;
	FILE *f = fopen(path, "r");
	char piece[4096];
	size_t n;

	ck_assert_ptr_nonnull(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		str_add_bytes(&text, piece, n);
	fclose(f);
	return text.data ? str_steal(&text) : xstrdup("");
}

#define SAMPLES 500

START_TEST(it_is_as_grep) {
	static struct sample samples[SAMPLES];
	struct rng r = rng_seed(fixture_seed() * 1000003 + (uint64_t)_i);
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *run = xasprintf("LC_ALL=C sh %s/script", dir);
	AUTO_FREE char *path = xasprintf("%s/script", dir);
	AUTO_STR struct str script = STR_INIT;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		AUTO_FREE char *text = xasprintf("%s/text%u", dir, i);

		sample_text(&r, &samples[i]);
		sample_words(&r, &samples[i]);
		write_file(text, samples[i].text);
		sample_script(&samples[i], &script, dir, i);
	}
	str_add(&script, "exit 0\n");
	write_file(path, str_text(&script));
	ck_assert_int_eq(system(run), 0);
	for (unsigned int i = 0; i < SAMPLES; i++) {
		AUTO_FREE char *file = xasprintf("%s/want%u", dir, i);
		AUTO_FREE char *want = read_file(file);
		AUTO_STR struct str got = STR_INIT, words = STR_INIT;
		char *argv[WORDS_MAX];

		for (size_t k = 0; k < samples[i].n; k++) {
			argv[k] = samples[i].words[k];
			str_addf(&words, " '%s'", argv[k]);
		}
		run_grep(&r, argv, samples[i].n, samples[i].text, &got);
		ck_assert_msg(strcmp(str_text(&got), want) == 0,
			      "grep%s of\n%s\n-- gave\n%s\n-- and not\n%s", str_text(&words),
			      samples[i].text, str_text(&got), want);
	}
}
END_TEST

/* ---- blocks ---- */

static const char config[] = "#config-version=x\n"
			     "config system global\n"
			     "    set hostname \"fw\"\n"
			     "end\n"
			     "config firewall address\n"
			     "    edit \"web\"\n"
			     "        set comment \"of\n"
			     "end\n"
			     "next\"\n"
			     "    next\n"
			     "    edit \"db\"\n"
			     "    next\n"
			     "end\n"
			     "config system standalone-cluster\n"
			     "    set group 1\n"
			     "    config cluster-peer\n"
			     "        edit 1\n"
			     "            set peerip 10.0.0.1\n"
			     "        next\n"
			     "    end\n"
			     "end\n";

/* Options and pattern, and the numbers of the lines that come; hits with a star. */
static const struct {
	const char *words, *lines;
} blocks[] = {
	{ "-f fw", "2 3* 4" },
	{ "fw -f", "2 3* 4" },
	{ "-fi WEB", "5 6* 7 8 9 10 13" },
	{ "-f web\\|db", "5 6* 7 8 9 10 11* 12 13" },
	{ "-f db", "5 11* 12 13" },
	{ "-f firewall", "5* 6 7 8 9 10 11 12 13" },
	{ "-f 10.0.0.1", "14 15 16 17 18* 19 20 21" },
	{ "-f cluster", "14* 15 16* 17 18 19 20 21" },
	{ "-f version", "1*" },
	{ "-f of", "5 6 7* 8 9 10 13" },
	{ "-f ^next", "5 6 7 8 9* 10 13" },
	{ "-f nowhere", "" },
};

static void number_lines(const char *text, struct str *out) {
	while (*text) {
		size_t n = strcspn(text, "\n");

		str_addf(out, "%s%lu%s", out->len ? " " : "", strtoul(text, NULL, 10),
			 n > 5 && memcmp(text + n - 5, " <---", 5) == 0 ? "*" : "");
		text += n + 1;
	}
}

START_TEST(blocks_are_whole) {
	struct rng r = rng_seed(fixture_seed());
	AUTO_FREE char *words = xasprintf("-n %s", blocks[_i].words);
	AUTO_STR struct str got = STR_INIT, lines = STR_INIT;
	char *argv[WORDS_MAX], *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	run_grep(&r, argv, n, config, &got);
	number_lines(str_text(&got), &lines);
	ck_assert_str_eq(str_text(&lines), blocks[_i].lines);
}
END_TEST

/* A random configuration, and of each line which block it belongs to. */
struct model {
	struct str text;
	size_t n;
	char *lines[2000];
	int frame[2000]; /* number of the line of its outermost config; -1: none */
	int block[2000]; /* of the block; -1: the line is part of the frame */
};

static size_t model_line(struct model *m, unsigned int level, const char *text, int frame,
			 int block) {
	m->lines[m->n] = xasprintf("%*s%s", (int)level * 4, "", text);
	m->frame[m->n] = frame;
	m->block[m->n] = block;
	str_addf(&m->text, "%s\n", m->lines[m->n]);
	return m->n++;
}

static void model_set(struct rng *r, struct model *m, unsigned int level, int frame, int block) {
	static const char *const sets[] = { "set a x", "set b y", "unset c", "set d \"x y\"",
					    "set e \"x' y\"", "set f 'end'" };

	if (rng_chance(r, 10)) {
		model_line(m, level, "set g \"y", frame, block);
		model_line(m, 0, rng_chance(r, 50) ? "end" : "    edit x", frame, block);
		model_line(m, 0, "x\"", frame, block);
	} else {
		model_line(m, level, sets[rng_below(r, ARRAY_LEN(sets))], frame, block);
	}
}

static void model_entry(struct rng *r, struct model *m, unsigned int level, int frame, int block);

static void model_child(struct rng *r, struct model *m, unsigned int level, int frame, int block) {
	model_line(m, level, rng_chance(r, 50) ? "config x" : "config z", frame, block);
	for (unsigned int i = rng_below(r, 3); i > 0; i--)
		model_entry(r, m, level + 1, frame, block);
	model_line(m, level, "end", frame, block);
}

static void model_body(struct rng *r, struct model *m, unsigned int level, int frame, int block) {
	for (unsigned int i = rng_below(r, 4); i > 0; i--)
		model_set(r, m, level, frame, block);
	if (level < 5 && rng_chance(r, 20))
		model_child(r, m, level, frame, block);
}

static void model_entry(struct rng *r, struct model *m, unsigned int level, int frame, int block) {
	if (block < 0)
		block = (int)m->n;
	model_line(m, level, rng_chance(r, 20) ? "edit x" : "edit \"w\"", frame, block);
	model_body(r, m, level + 1, frame, block);
	model_line(m, level, "next", frame, block);
}

static void model_make(struct rng *r, struct model *m) {
	for (unsigned int tables = rng_below(r, 5); tables > 0; tables--) {
		int frame = (int)m->n;
		bool list = rng_chance(r, 60);

		model_line(m, 0, rng_chance(r, 20) ? "config x" : "config t", frame, -1);
		if (list) {
			for (unsigned int i = rng_below(r, 5); i > 0; i--)
				model_entry(r, m, 1, frame, -1);
		} else {
			model_set(r, m, 1, frame, frame);
			model_body(r, m, 1, frame, frame);
		}
		model_line(m, 0, "end", frame, list ? -1 : frame);
		if (rng_chance(r, 10))
			model_line(m, 0, "other x", -1, -1);
	}
}

/* Line i is printed when its block has a hit, or its frame has one or frames such a block. */
static bool model_wants(const struct model *m, size_t i, const bool *hit) {
	bool is_frame = m->block[i] < 0 && m->frame[i] >= 0;

	if (m->frame[i] < 0)
		return hit[i];
	if (hit[m->frame[i]])
		return true;
	for (size_t k = 0; k < m->n; k++)
		if (hit[k] && m->frame[k] == m->frame[i] &&
		    (is_frame || m->block[k] == m->block[i]))
			return true;
	return false;
}

static void model_print(const struct model *m, const char *pattern, struct str *out) {
	bool hit[2000];

	for (size_t i = 0; i < m->n; i++)
		hit[i] = strstr(m->lines[i], pattern) != NULL;
	for (size_t i = 0; i < m->n; i++)
		if (model_wants(m, i, hit))
			str_addf(out, "%s%s\n", m->lines[i], hit[i] ? " <---" : "");
}

START_TEST(blocks_are_as_the_model_has_them) {
	static const char *const patterns[] = { "x", "y", "set a", "config x", "edit x", "end",
						"next", "nowhere", "other" };

	for (unsigned int n = 0; n < fixture_rounds(3000); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000003 + n);
		const char *pattern = patterns[rng_below(&r, ARRAY_LEN(patterns))];
		AUTO_FREE char *word = xstrdup(pattern), *option = xstrdup("-f");
		char *argv[] = { word, option };
		AUTO_STR struct str got = STR_INIT, want = STR_INIT;
		struct model m = { .text = STR_INIT };

		model_make(&r, &m);
		model_print(&m, pattern, &want);
		run_grep(&r, argv, 2, str_text(&m.text), &got);
		ck_assert_msg(strcmp(str_text(&got), str_text(&want)) == 0,
			      "%u: grep -f %s of\n%s-- gave\n%s-- and not\n%s", n, pattern,
			      str_text(&m.text), str_text(&got), str_text(&want));
		for (size_t i = 0; i < m.n; i++)
			free(m.lines[i]);
		str_done(&m.text);
	}
}
END_TEST

/* ---- bounds ---- */

static char *long_line(size_t len) {
	char *text = xcalloc(1, len + 1);

	memset(text, 'x', len);
	return text;
}

START_TEST(a_line_without_end_is_cut) {
	AUTO_FREE char *text = long_line(GREP_LINE_MAX + 3);
	AUTO_STR struct str got = STR_INIT;
	char option[] = "-c", pattern[] = "x";
	char *argv[] = { option, pattern };
	struct grep *g;

	ck_assert_int_eq(grep_new(argv, 2, take, &got, &g, NULL), 0);
	grep_text(g, text, GREP_LINE_MAX + 3);
	grep_text(g, "\n", 1);
	grep_end(g);
	grep_free(g);
	ck_assert_str_eq(str_text(&got), "2\n");
}
END_TEST

/* Of a block that is too large without a hit, the first lines are lost, and no memory is taken. */
START_TEST(what_waits_is_bounded) {
	AUTO_FREE char *text = long_line(GREP_LINE_MAX - 1);
	AUTO_STR struct str got = STR_INIT;
	char option[] = "-f", pattern[] = "hit";
	char *argv[] = { option, pattern };
	struct grep *g;

	ck_assert_int_eq(grep_new(argv, 2, take, &got, &g, NULL), 0);
	grep_text(g, "config t\n", 9);
	for (int i = 0; i < 40; i++) {
		grep_text(g, text, GREP_LINE_MAX - 1);
		grep_text(g, "\n", 1);
	}
	grep_text(g, "hit\nend\n", 8);
	grep_end(g);
	grep_free(g);
	ck_assert_uint_le(got.len, BACKLOG_MAX + 100);
	ck_assert_uint_ge(got.len, BACKLOG_MAX - 2 * GREP_LINE_MAX);
	ck_assert_int_eq(strncmp(got.data, "config t\nxxx", 12), 0);
	ck_assert_str_eq(got.data + got.len - 13, "hit <---\nend\n");
}
END_TEST

/* Nothing waits once a hit in the outermost line has said that all is wanted. */
START_TEST(a_wanted_table_does_not_wait) {
	AUTO_STR struct str got = STR_INIT;
	char option[] = "-f", pattern[] = "policy";
	char *argv[] = { option, pattern };
	struct grep *g;

	ck_assert_int_eq(grep_new(argv, 2, take, &got, &g, NULL), 0);
	grep_text(g, "config firewall policy\n    edit 1\n", 34);
	ck_assert_str_eq(str_text(&got), "config firewall policy <---\n    edit 1\n");
	grep_free(g);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("grep");
	TCase *t = fixture_case(suite, "grep");

	tcase_add_loop_test(t, it_is_as_grep, 0, (int)fixture_rounds(4));
	tcase_add_loop_test(t, blocks_are_whole, 0, (int)ARRAY_LEN(blocks));
	tcase_add_test(t, blocks_are_as_the_model_has_them);
	tcase_add_test(t, a_line_without_end_is_cut);
	tcase_add_test(t, what_waits_is_bounded);
	tcase_add_test(t, a_wanted_table_does_not_wait);
	return fixture_run(suite);
}
