# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compiles schemas/*/*.schema to C, once read.awk has read them.
#
#   awk -v out_h=schema_gen.h -v out_c=schema_gen.c -f read.awk -f compile.awk FILE...
#
# The order of the files is the order of tables in `show`. Names are checked here; nothing is left
# behind when there is a mistake.

function upper(s) { s = toupper(s); gsub(/[^A-Z0-9]/, "_", s); return s }

function c_string(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }

function integer_fits(t, a, word) {
	return word ~ /^-?[0-9]+$/ && word + 0 >= a_min[t, a] + 0 && word + 0 <= a_max[t, a] + 0
}

function check_default(t, a,    n, i, part) {
	n = a_has_dflt[t, a] ? split(a_dflt[t, a], part, " ") : 0
	if (n > 1 && (a_type[t, a] == "option" || a_type[t, a] == "integer") && !((t, a, "multi") in a_is))
		fail("several defaults, but " a_name[t, a] " is not multi", a_where[t, a])
	if (a_type[t, a] == "string" && length(a_dflt[t, a]) > a_max[t, a] + 0 && !((t, a, "multi") in a_is))
		fail("default '" a_dflt[t, a] "' is longer than " a_max[t, a], a_where[t, a])
	for (i = 1; i <= n; i++) {
		if (a_n_opt[t, a] > 0 && !((t, a, part[i]) in opt_id))
			fail("default '" part[i] "' is no value of " a_name[t, a], a_where[t, a])
		if (a_type[t, a] == "integer" && !integer_fits(t, a, part[i]))
			fail("default '" part[i] "' is outside " a_min[t, a] ".." a_max[t, a], a_where[t, a])
	}
}

# Uniqueness is looked up by table, attribute and text.
function check_unique(t, a) {
	if ((t, a, "unique") in a_is && (a_type[t, a] != "string" || (t, a, "multi") in a_is || a == 0 || \
	    !t_list[t] || t_parent[t] >= 0))
		fail("unique is for a single string of a list that is no child", a_where[t, a])
}

# One text says what an entry is, beside its key.
function check_remark(t, a) {
	if (!((t, a, "remark") in a_is)) return
	if (a_type[t, a] != "string" || (t, a, "multi") in a_is || a == 0 || !t_list[t])
		fail("remark is for a single string of a list", a_where[t, a])
	if (t_remarks[t]++) fail("a table has one remark", a_where[t, a])
}

# Two words of a list are two values, and a key is one word.
function check_words(t, a) {
	if ((t, a, "words") in a_is && (a_type[t, a] != "string" || (t, a, "multi") in a_is || a == 0))
		fail("words is for a single string that is no key", a_where[t, a])
}

# A line of `get` has single values.
function check_listed(t, a) {
	if ((t, a, "listed") in a_is && (a == 0 || !t_list[t] || a_child[t, a] >= 0))
		fail("listed is for an attribute of a list", a_where[t, a])
}

# The shell puts such attributes into an object that it has read, and takes them out of one it sends.
function check_session(t, a) {
	if ((t, a, "session") in a_is && (t_list[t] || t_parent[t] >= 0 || a_child[t, a] >= 0 || \
	    a_when[t, a] != "" || (t, a, "required") in a_is))
		fail("session is for what an object has by itself and in any case", a_where[t, a])
}

function emit_refs(t, a,    n, i, part, list) {
	n = split(a_refs[t, a], part, "|"); list = ""
	for (i = 1; i <= n; i++) {
		if (!(part[i] in table_id)) { fail("no table " part[i], a_where[t, a]); continue }
		if (!t_list[table_id[part[i]]]) fail(part[i] " is no list", a_where[t, a])
		list = list (i > 1 ? ", " : "") "TBL_" upper(part[i])
	}
	print "static const uint16_t refs_" t "_" a "[] = { " list " };" > out_c
	return n
}

# Whether attribute a exists only if `goal` does; seen[] keeps it from going in circles itself.
function depends_on(t, a, goal, seen,    n, i, part, side) {
	n = split(a_when[t, a], part, ",")
	for (i = 1; i <= n; i++) {
		split(part[i], side, "=")
		if (!((t, side[1]) in attr_id) || (side[1] in seen)) continue
		seen[side[1]] = 1
		if (attr_id[t, side[1]] == goal || depends_on(t, attr_id[t, side[1]], goal, seen)) return 1
	}
	return 0
}

function emit_conds(t, a,    n, i, j, m, part, side, val, list, seen) {
	split("", seen)
	if (depends_on(t, a, a, seen)) fail(a_name[t, a] " exists only if " a_name[t, a] " does", a_where[t, a])
	n = split(a_when[t, a], part, ","); list = ""
	for (i = 1; i <= n; i++) {
		split(part[i], side, "=")
		if (!((t, side[1]) in attr_id)) { fail("no attribute " side[1], a_where[t, a]); continue }
		j = attr_id[t, side[1]]; m = split(side[2], val, "|")
		if (a_type[t, j] == "option" && side[2] != "*")
			for (; m > 0; m--)
				if (!((t, j, val[m]) in opt_id)) fail("'" val[m] "' is no value of " side[1], a_where[t, a])
		list = list "{ " j ", " c_string(side[2]) " }, "
	}
	print "static const struct schema_cond conds_" t "_" a "[] = { " list "};" > out_c
	return n
}

function emit_attr(t, a,    row, d, i) {
	check_default(t, a)
	check_unique(t, a)
	check_session(t, a)
	check_remark(t, a)
	check_words(t, a)
	check_listed(t, a)
	row = "\t{ .name = " c_string(a_name[t, a]) ", .help = " c_string(a_help[t, a]) ",\n\t  .type = ATTR_" \
	    upper(a_type[t, a]) ", .flags = " a_flags[t, a] ", .min = " a_min[t, a] ", .max = " a_max[t, a]
	d = implied_default(t, a)
	if (a_type[t, a] != "child" && d != "\001") row = row ", .dflt = " c_string(d)
	if (a_n_opt[t, a] > 0) {
		print "static const struct schema_option options_" t "_" a "[] = {" > out_c
		for (i = 0; i < a_n_opt[t, a]; i++)
			print "\t{ " c_string(opt_name[t, a, i]) ", " (opt_help[t, a, i] == "" ? "NULL" : c_string(opt_help[t, a, i])) \
			    ", " (opt_stored[t, a, i] ? "true" : "false") " }," > out_c
		print "};" > out_c
		row = row ", .options = options_" t "_" a ", .n_options = " a_n_opt[t, a]
	}
	if (a_refs[t, a] != "") { i = emit_refs(t, a); row = row ", .refs = refs_" t "_" a ", .n_refs = " i }
	if (a_when[t, a] != "") { i = emit_conds(t, a); row = row ", .conds = conds_" t "_" a ", .n_conds = " i }
	if (a_child[t, a] >= 0) row = row ", .child = &table_" a_child[t, a]
	return row " },\n"
}

# Codes of name clashes with other tables of the name space.
function emit_clashes(t,    n, i, part, side, list) {
	n = split(t_clashes[t], part, " "); list = ""
	for (i = 1; i <= n; i++) {
		split(part[i], side, "=")
		if (!(side[1] in table_id)) fail("no table " side[1], t_names_where[t])
		else if (t_names[table_id[side[1]]] != t_names[t])
			fail(side[1] " is not in the name space " t_names[t], t_names_where[t])
		list = list "{ TBL_" upper(side[1]) ", " side[2] " }, "
	}
	if (n > 0) print "static const struct schema_clash clashes_" t "[] = { " list "};" > out_c
	return n
}

function emit_table(t,    a, rows, n) {
	rows = ""
	for (a = 0; a < t_n[t]; a++) {
		print "\t" upper(t_dotted[t]) "__" upper(a_name[t, a]) (a == 0 ? " = 0" : "") "," > ids
		rows = rows emit_attr(t, a)
	}
	if (t_n[t] == 0) fail("table has no attribute", t_where[t])
	print "static const struct schema_attr attrs_" t "[] = {\n" rows "};" > out_c
	n = emit_clashes(t)
	print "static const struct schema_table table_" t " = {\n\t.id = " t ", .n_attrs = " t_n[t] ", .flags = " t_flags[t] \
	    ",\n\t.path = " c_string(t_path[t]) ", .dotted = " c_string(t_dotted[t]) ",\n\t.help = " c_string(t_help[t]) \
	    (t_names[t] != "" ? ",\n\t.names = " c_string(t_names[t]) ", .noun = " c_string(t_noun[t]) : "") \
	    (t_group[t] != "" ? ",\n\t.group = " c_string(t_group[t]) : "") \
	    (n > 0 ? ",\n\t.clashes = clashes_" t ", .n_clashes = " n : "") \
	    ",\n\t.attrs = attrs_" t (t_parent[t] >= 0 ? ", .parent = &table_" t_parent[t] : "") \
	    ", .max_entries = " t_max[t] "\n};" > out_c
}

function emit_ids(    t, a) {
	print "/* Generated by schemas/compile.awk. */\n#pragma once\n" > out_h
	print "#include \"cfgdb/model/schema.h\"\n\nenum schema_table_id {" > out_h
	for (t = 0; t < n_tables; t++) print "\tTBL_" upper(t_dotted[t]) " = " t "," > out_h
	print "\tTBL_COUNT\n};" > out_h
	for (t = 0; t < n_tables; t++) {
		print "\nenum {" > out_h
		for (a = 0; a < t_n[t]; a++) print "\t" upper(t_dotted[t]) "__" upper(a_name[t, a]) " = " a "," > out_h
		print "\t" upper(t_dotted[t]) "__COUNT\n};" > out_h
	}
}

function emit_aliases(    i, n) {
	print "const struct schema_alias schema_aliases[] = {" > out_c
	for (i = 0; i < n_aliases; i++) {
		if (!((al_table[i], al_child[i]) in attr_id) ||
		    a_child[al_table[i], attr_id[al_table[i], al_child[i]]] < 0) {
			fail("no child " al_child[i], al_where[i])
			continue
		}
		print "\t{ " c_string(al_path[i]) ", " c_string(al_help[i]) ", " al_table[i] ", " attr_id[al_table[i], al_child[i]] " }," > out_c
	}
	if (n_aliases == 0) print "\t{ NULL, NULL, 0, 0 }," > out_c
	print "};\nconst uint16_t schema_n_aliases = " n_aliases ";" > out_c
}

END {
	ids = "/dev/null"
	print "/* Generated by schemas/compile.awk. */\n#include \"schemas/schema_gen.h\"\n" > out_c
	for (t = 0; t < n_tables; t++) print "static const struct schema_table table_" t ";" > out_c
	for (t = 0; t < n_tables; t++) emit_table(t)
	print "const struct schema_table *const schema_tables[] = {" > out_c
	for (t = 0; t < n_tables; t++) print "\t&table_" t "," > out_c
	print "};\nconst uint16_t schema_n_tables = " n_tables ";\nconst uint16_t schema_top[] = {" > out_c
	for (i = 0; i < n_top; i++) print "\t" top[i] "," > out_c
	print "};\nconst uint16_t schema_n_top = " n_top ";" > out_c
	emit_aliases()
	print "const char schema_digest[] = \"" digest "\";" > out_c
	emit_ids()
	close(out_c); close(out_h)
	if (errors) { system("rm -f " out_c " " out_h); exit 1 }
}
