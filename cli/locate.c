/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step a name: from an object to one of its attributes, from there, if it is a nested table, on
 * to an entry or the nested object. The way is kept, for who prints what is at its end prints the
 * frames around it, too.
 */
#include "cli/locate.h"

#include "cfgdb/base/mem.h"
#include "cli/grammar.h"

int locate_refuse(struct err *err) {
	return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
}

struct object *locate_entry(const struct object *obj, unsigned int attr, const char *word) {
	AUTO_FREE char *key = NULL;

	if (object_key_parse(obj->table->attrs[attr].child, word, &key, NULL))
		return NULL;
	return object_child(obj, attr, key);
}

int locate(struct object *obj, char *const names[], size_t n, struct location *ret,
	   struct err *err) {
	size_t i = 0;

	*ret = (struct location){ .obj = obj };
	while (i < n) {
		int attr = grammar_attr(obj, names[i], ARGS_WITHIN, err);
		const struct schema_table *child;

		if (attr < 0)
			return err->code;
		if (ret->n == LOCATE_DEPTH_MAX)
			return grammar_refuse(names[i], err);
		ret->way[ret->n].obj = obj;
		ret->way[ret->n++].attr = (unsigned int)attr;
		ret->obj = NULL;
		child = obj->table->attrs[attr].child;
		i++;
		if (!child)
			return i < n ? grammar_refuse(names[i], err) : 0;
		if (!schema_is_list(child))
			obj = object_child_make(obj, (unsigned int)attr);
		else if (i == n)
			return 0;
		else
			obj = locate_entry(obj, (unsigned int)attr, names[i++]);
		if (!obj)
			return locate_refuse(err);
		ret->obj = obj;
	}
	return 0;
}
