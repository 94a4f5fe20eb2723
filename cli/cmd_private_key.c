/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private key is on no line: lines are echoed, kept in the history and seen by who looks at
 * processes. At a terminal it is asked for twice, without an echo; otherwise it is the next line of
 * what is read: of the script that comes from standard input, or of standard input itself, when the
 * commands come from elsewhere.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/keyring.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "schemas/schema_gen.h"

#define KEY_LINE_MAX 256 /* bytes of a line that may hold a key */

static void wipe(struct str *text) {
	if (text->data)
		explicit_bzero(text->data, text->size);
	str_done(text);
}

/* One line of standard input, which nobody else reads; what is behind it stays there. */
static bool read_stdin(struct str *ret) {
	char byte;
	ssize_t n;

	while (ret->len < KEY_LINE_MAX) {
		n = read(STDIN_FILENO, &byte, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || byte == '\n')
			return n > 0 || ret->len > 0;
		str_add_char(ret, byte);
	}
	return false;
}

static bool ask(struct shell *sh, const char *prompt, struct str *ret) {
	str_reserve(ret, KEY_LINE_MAX);
	if (sh->ask ? !sh->ask(sh->ask_arg, prompt, ret) : !read_stdin(ret))
		return false;
	while (ret->len > 0 && strchr(" \t\r\n", ret->data[ret->len - 1]))
		ret->data[--ret->len] = '\0';
	return true;
}

/* Into key, which the caller wipes: typed twice where someone types. */
static int take_key(struct shell *sh, struct str *key, struct err *err) {
	struct str again = STR_INIT;
	bool same = true;

	if (!ask(sh, "Private key (32 hexadecimal digits): ", key))
		return err_set(err, ERR_INCOMPLETE, "no private key was given");
	if (!keyring_is_private(str_text(key)))
		return err_set(err, ERR_VALUE, "a private key is %d hexadecimal digits",
			       PRIVATE_KEY_DIGITS);
	if (sh->typing)
		same = ask(sh, "The same once more: ", &again) &&
		       strcmp(str_text(key), str_text(&again)) == 0;
	wipe(&again);
	return same ? 0 : err_set(err, ERR_VALUE, "the two are not the same");
}

static int give_key(struct shell *sh, bool at_once, struct err *err) {
	struct str key = STR_INIT;
	int rc = take_key(sh, &key, err);

	if (rc == 0)
		rc = client_private_key(sh->client, str_text(&key), at_once, err);
	wipe(&key);
	if (rc == 0 && sh->typing)
		out_text(sh->out, "The private key is accepted.\n");
	return rc;
}

int cmd_private_key(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	return give_key(sh, true, err);
}

#define WORD_ENABLE "enable"

static bool is_enabled(const struct object *global) {
	return object_is(global, SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION, WORD_ENABLE);
}

/* Refused here, the line alone is: the rest of a script, or of a file, can do without. */
int cmd_private_key_check(struct shell *sh, const struct schema_table *table, unsigned int attr,
			  const struct value *v, struct err *err) {
	const struct schema_attr *a = &table->attrs[attr];
	AUTO_STR struct str key = STR_INIT;
	int rc;

	if (sh->typing || table->id != TBL_SYSTEM_GLOBAL ||
	    attr != SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION ||
	    value_item(v, 0)->num != schema_option_index(a, WORD_ENABLE))
		return 0;
	rc = backup_key(sh->client, &key, err);
	if (rc || strcmp(str_text(&key), "none") != 0)
		return rc;
	return err_set(err, ERR_VALUE,
		       "it needs a key, which no line may hold: `execute private-data-encryption "
		       "key` asks for it and enables it\n"
		       "node_check_object fail! for %s enable\n\nvalue parse error before 'enable'",
		       a->name);
}

int cmd_private_key_for(struct shell *sh, struct err *err) {
	const struct level *top = context_top(&sh->context);
	const struct schema_table *table = schema_table(TBL_SYSTEM_GLOBAL);
	struct object *before;
	bool enabled;
	int rc;

	if (!sh->typing || !top->obj || top->table != table || !is_enabled(top->obj))
		return 0;
	if (!client_info(sh->client)->writes_all) /* the daemon refuses what is put then */
		return 0;
	rc = client_get(sh->client, table, "", &before, err);
	if (rc)
		return rc;
	enabled = is_enabled(before);
	object_free(before);
	return enabled ? 0 : give_key(sh, false, err);
}
