# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads schemas/*/*.schema (grammar: schemas/README.md) for the program that follows on the command
# line: compile.awk makes C of them, manual.awk a manual page.
#
# All files are read first, then names are resolved, so that a table may refer to one declared later.
# Every mistake is reported as `file:line: error: ...`; when there is one, nothing else happens.
#
# What is there at the end: tables 0..n_tables-1, t_*[t]; attributes 0..t_n[t]-1 of each, a_*[t, a] and
# a_is[t, a, flag]; options, opt_*[t, a, i]; the tables of top[0..n_top-1] that no other one holds;
# aliases, al_*[i].

BEGIN {
	n_types = split("option integer string fqdn ref ipv4 ipv4-host ipv4-net ipv4-range ipv6 ipv6-prefix " \
	    "port-range service-ports mac uuid time datetime password password-hash", names_of_types, " ")
	for (i = 1; i <= n_types; i++)
		type_known[names_of_types[i]] = 1
	split("multi required always quoted stored local nodefault direct any unique never session remark listed words", flag_words, " ")
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

function new_table(dotted, path, help, parent,    t) {
	t = n_tables++
	if (dotted in table_id) fail("table " dotted " is declared twice")
	else table_id[dotted] = t
	t_dotted[t] = dotted; t_path[t] = path; t_help[t] = help; t_parent[t] = parent
	t_where[t] = FILENAME ":" FNR; t_n[t] = 0; t_list[t] = 0; t_flags[t] = "0"; t_max[t] = 0; t_group[t] = ""
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
		if (w[i] == "group") {
			if (i + 1 >= n || w[i + 1] !~ /^[a-z][a-z.-]*$/) fail("group needs a name")
			else t_group[t] = w[++i]
			if (t_parent[t] >= 0) fail("group is for a table that is no child")
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

END {
	if (depth > 0) fail("end is missing")
	if (errors) exit 1
}
