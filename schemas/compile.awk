# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compiles schemas/*/*.schema (grammar: schemas/README.md) to C.
#
#   awk -v out_h=schema_gen.h -v out_c=schema_gen.c -f compile.awk FILE...
#
# The order of the files is the order of tables in `show`. All files are read first, then names are
# resolved, so that a table may refer to one declared later. Every mistake is reported as
# `file:line: error: ...`; nothing is written when there is one.

BEGIN {
	n_types = split("option integer string fqdn ref ipv4 ipv4-host ipv4-net ipv4-range ipv6 ipv6-prefix " \
	    "port-range service-ports mac uuid time datetime password password-hash", names_of_types, " ")
	for (i = 1; i <= n_types; i++)
		type_known[names_of_types[i]] = 1
	split("multi required always quoted stored local nodefault direct any unique never session", flag_words, " ")
	for (i in flag_words)
		flag_known[flag_words[i]] = "ATTR_" toupper(flag_words[i])
	flag_known["session"] = flag_known["session"] "|" flag_known["local"]
	n_tables = 0; n_aliases = 0; errors = 0
}

function fail(message, where) {
	printf "%s: error: %s\n", (where == "" ? FILENAME ":" FNR : where), message > "/dev/stderr"
	errors++
}

# Words of a line into w[1..n]; a quoted word loses its quotes and is marked in quoted[]. 0 when there
# are none, or they cannot be read.
function words(line,    n, c, word) {
	n = 0
	for (c in quoted) delete quoted[c]
	for (;;) {
		sub(/^[ \t]+/, "", line)
		if (line == "" || substr(line, 1, 1) == "#" && n == 0) return n
		if (substr(line, 1, 1) == "\"") {
			if (!match(substr(line, 2), /"/)) { fail("unmatched quote"); return 0 }
			word = substr(line, 2, RSTART - 1)
			line = substr(line, RSTART + 2)
			quoted[n + 1] = 1
		} else {
			match(line, /^[^ \t]+/)
			word = substr(line, 1, RLENGTH)
			line = substr(line, RLENGTH + 1)
		}
		w[++n] = word
	}
}

function help_of(n) {
	if (n < 2 || !(n in quoted) || w[n] == "") { fail("help text is missing"); return "" }
	return w[n]
}

function upper(s) { s = toupper(s); gsub(/[^A-Z0-9]/, "_", s); return s }

function c_string(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }

function new_table(dotted, path, help, parent,    t) {
	t = n_tables++
	if (dotted in table_id) fail("table " dotted " is declared twice")
	else table_id[dotted] = t
	t_dotted[t] = dotted; t_path[t] = path; t_help[t] = help; t_parent[t] = parent
	t_where[t] = FILENAME ":" FNR; t_n[t] = 0; t_list[t] = 0; t_flags[t] = "0"; t_max[t] = 0
	return t
}

function table_kind(t, i, n) {
	if (i >= n) { fail("expected list or object"); return n }
	if (w[i] == "list") { t_list[t] = 1; t_flags[t] = "TABLE_LIST" }
	else if (w[i] != "object") fail("expected list or object, not '" w[i] "'")
	for (i++; i < n; i++) {
		if (w[i] == "max") {
			if (i + 1 >= n || w[i + 1] !~ /^[1-9][0-9]*$/) fail("max needs a number")
			else t_max[t] = w[++i]
			continue
		}
		if (w[i] !~ /^(ordered|vdom|stored|local)$/) return i
		t_flags[t] = t_flags[t] "|TABLE_" toupper(w[i])
	}
	return i
}

function new_attr(t, name, type, help,    a) {
	a = t_n[t]++
	if ((t, name) in attr_id) fail("attribute " name " is declared twice")
	attr_id[t, name] = a
	a_name[t, a] = name; a_type[t, a] = type; a_help[t, a] = help; a_where[t, a] = FILENAME ":" FNR
	a_flags[t, a] = "0"; a_dflt[t, a] = ""; a_has_dflt[t, a] = 0; a_min[t, a] = 0; a_max[t, a] = 0
	a_n_opt[t, a] = 0; a_refs[t, a] = ""; a_when[t, a] = ""; a_child[t, a] = -1; last_attr = a
	return a
}

function add_options(t, a, list,    n, i, part) {
	n = split(list, part, "|")
	for (i = 1; i <= n; i++) {
		if ((t, a, part[i]) in opt_id) fail("value " part[i] " is given twice")
		opt_id[t, a, part[i]] = a_n_opt[t, a]
		opt_name[t, a, a_n_opt[t, a]] = part[i]
		opt_help[t, a, a_n_opt[t, a]++] = ""
	}
}

# Arguments of the type at w[i]; returns the index of the first flag.
function type_args(t, a, i, n,    type, bounds) {
	type = a_type[t, a]
	if ((type == "option" || type == "ref") && (i >= n || i in quoted))
		fail(type == "ref" ? "ref needs its tables" : "option needs its values")
	else if (type == "option") add_options(t, a, w[i++])
	else if (type == "ref") a_refs[t, a] = w[i++]
	else if (type == "string") {
		if (w[i] !~ /^[0-9]+$/) fail("string needs its greatest length")
		a_max[t, a] = w[i++]
	} else if (type == "integer") {
		split(w[i], bounds, /\.\./)
		if (w[i] !~ /^-?[0-9]+\.\.-?[0-9]+$/ || bounds[1] + 0 > bounds[2] + 0) fail("integer needs LO..HI")
		else { a_min[t, a] = bounds[1]; a_max[t, a] = bounds[2] }
		i += i < n
	}
	return i
}

function attr_flags(t, a, i, n) {
	for (; i < n; i++) {
		if (w[i] == "advised") {
			if (a_type[t, a] != "password") fail("advised is for passwords")
			if (i + 1 >= n || w[i + 1] !~ /^[1-9][0-9]*$/) fail("advised needs a number")
			else a_min[t, a] = w[++i]
		} else if ((w[i] == "default" || w[i] == "when" || w[i] == "in") && i + 1 >= n)
			fail(w[i] == "when" ? "when needs a condition" : \
			    w[i] == "in" ? "in needs its names" : "default needs a value")
		else if (w[i] == "default") { a_has_dflt[t, a] = 1; a_dflt[t, a] = w[++i] }
		else if (w[i] == "when") a_when[t, a] = w[++i]
		else if (w[i] == "in") {
			if (a_type[t, a] != "string") fail("in is for strings")
			add_options(t, a, w[++i])
		} else if (w[i] in flag_known) {
			a_flags[t, a] = a_flags[t, a] "|" flag_known[w[i]]
			a_is[t, a, w[i]] = 1
		} else fail("unknown word '" w[i] "'")
	}
}

{ sub(/\r$/, ""); n = words($0) }
n == 0 { next }
FNR == 1 || FILENAME != current_file { if (depth > 0) fail("end is missing before this file"); current_file = FILENAME; depth = 0; in_table = 0 }

w[1] == "table" {
	path = ""; dotted = ""
	for (i = 2; i < n && (i < 4 || w[i] != "list" && w[i] != "object"); i++) {
		path = path (path == "" ? "" : " ") w[i]
		dotted = dotted (dotted == "" ? "" : ".") w[i]
	}
	t = new_table(dotted, path, help_of(n), -1)
	i = table_kind(t, i, n)
	if (i != n) fail("unknown word '" w[i] "'")
	depth = 0; in_table = 1; stack[0] = t; top[n_top++] = t
	next
}
!in_table { if (!told[FILENAME]++) fail("a file starts with table"); next }
{ t = stack[depth] }
w[1] == "names" {
	if (n < 3 || !(3 in quoted)) fail("names needs a name space and a noun in quotes")
	t_names[t] = w[2]; t_noun[t] = w[3]; t_names_where[t] = FILENAME ":" FNR
	for (i = 4; i <= n; i++)
		if (w[i] ~ /^[a-z0-9.-]+=-[1-9][0-9]*$/) t_clashes[t] = t_clashes[t] " " w[i]
		else fail("'" w[i] "' is no TABLE=CODE")
	next
}
w[1] == "key" || w[1] == "attr" {
	if (!(w[3] in type_known)) { fail("unknown type '" w[3] "'"); next }
	a = new_attr(t, w[2], w[3], help_of(n))
	if (w[1] == "key") {
		if (a != 0 || !t_list[t]) fail("key must be the first attribute of a list")
		a_flags[t, a] = "ATTR_KEY"
	} else if (a == 0 && t_list[t]) fail("a list starts with key")
	attr_flags(t, a, type_args(t, a, 4, n), n)
	next
}
w[1] == "opt" {
	if (!((t, last_attr, w[2]) in opt_id)) { fail("'" w[2] "' is no value of " a_name[t, last_attr]); next }
	opt_help[t, last_attr, opt_id[t, last_attr, w[2]]] = help_of(n)
	if (n > 4 || n == 4 && w[3] != "stored") fail("unknown word '" w[3] "'")
	opt_stored[t, last_attr, opt_id[t, last_attr, w[2]]] = (n == 4)
	next
}
w[1] == "child" {
	a = new_attr(t, w[2], "child", help_of(n))
	c = new_table(t_dotted[t] "." w[2], w[2], w[n], t)
	a_child[t, a] = c
	attr_flags(t, a, table_kind(c, 3, n), n)
	stack[++depth] = c
	next
}
w[1] == "end" { if (depth == 0) fail("end without child"); else depth--; next }
w[1] == "alias" {
	path = w[2]
	for (i = 3; i < n - 1; i++) path = path " " w[i]
	al_path[n_aliases] = path; al_help[n_aliases] = help_of(n); al_table[n_aliases] = t
	al_child[n_aliases] = w[n - 1]; al_where[n_aliases++] = FILENAME ":" FNR
	next
}
{ fail("unknown declaration '" w[1] "'") }

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

# The shell puts such attributes into an object that it has read, and takes them out of one it sends.
function check_session(t, a) {
	if ((t, a, "session") in a_is && (t_list[t] || t_parent[t] >= 0 || a_child[t, a] >= 0 || \
	    a_when[t, a] != "" || (t, a, "required") in a_is))
		fail("session is for what an object has by itself and in any case", a_where[t, a])
}

# What an attribute holds when nothing is said; "\001" stands for nothing at all.
function implied_default(t, a) {
	if (a_has_dflt[t, a]) return a_dflt[t, a]
	if ((t, a, "nodefault") in a_is || (t, a, "multi") in a_is) return "\001"
	if (a_type[t, a] == "option") return opt_name[t, a, 0]
	if (a_type[t, a] == "integer") return a_min[t, a]
	if (a_type[t, a] == "ipv4") return "0.0.0.0"
	if (a_type[t, a] == "ipv4-host" || a_type[t, a] == "ipv4-net") return "0.0.0.0 0.0.0.0"
	if (a_type[t, a] == "ipv6") return "::"
	if (a_type[t, a] == "ipv6-prefix") return "::/0"
	if (a_type[t, a] == "string" || a_type[t, a] == "fqdn" || a_type[t, a] == "ref") return ""
	return "\001"
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
	    (n > 0 ? ",\n\t.clashes = clashes_" t ", .n_clashes = " n : "") \
	    ",\n\t.attrs = attrs_" t (t_parent[t] >= 0 ? ", .parent = &table_" t_parent[t] : "") \
	    ", .max_entries = " t_max[t] "\n};" > out_c
}

function emit_ids(    t, a) {
	print "/* Generated by schemas/compile.awk. */\n#pragma once\n" > out_h
	print "#include \"cfgdb/schema.h\"\n\nenum schema_table_id {" > out_h
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
	if (depth > 0) fail("end is missing")
	if (errors) exit 1
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
