# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints the manual page gatehouse-config(5) from schemas/*/*.schema, once read.awk has read them.
#
#   awk -v page=gatehouse-config.5.in -f read.awk -f manual.awk FILE...
#
# The page is the text of that file with the tables in the place of a line `@tables@`.
# A section for each module, a part for each table; an attribute is its name and type with what holds
# for it, its help, and its options. Nested tables are indented.

# Text of a page: a hyphen is one, and nothing in it is a request.
function roff(s) {
	gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s)
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}

function bold(s) { return "\\fB" roff(s) "\\fR" }

# "a, b and c" of values with | between them, in bold.
function listed(values, last,    n, i, part, text) {
	n = split(values, part, "|"); text = bold(part[1])
	for (i = 2; i <= n; i++) text = text (i < n ? ", " : " " last " ") bold(part[i])
	return text
}

function bounds(t, a) {
	if (a_type[t, a] == "integer") return " from " roff(a_min[t, a]) " to " roff(a_max[t, a]) \
	    (((t, a, "never") in a_is) ? ", or " bold("never") : "")
	if (a_type[t, a] == "string" && a_n_opt[t, a] == 0) return " of at most " a_max[t, a] " bytes"
	return a_min[t, a] > 0 ? ", " a_min[t, a] " bytes or more are advised" : ""
}

function type_of(t, a,    text, many, refs) {
	many = (t, a, "multi") in a_is
	if (a_type[t, a] == "ref") {
		refs = a_refs[t, a]; gsub(/\./, " ", refs)
		text = (many ? "entries of " : "entry of ") listed(refs, "or")
		return text (((t, a, "any") in a_is) ? ", or " bold("any") : "")
	}
	text = a_type[t, a] in type_text ? type_text[a_type[t, a]] : a_type[t, a]
	return (many ? "list: " : "") text bounds(t, a)
}

function condition(when,    n, i, part, side, text) {
	n = split(when, part, ",")
	for (i = 1; i <= n; i++) {
		split(part[i], side, "=")
		text = text (i > 1 ? ", and " : "") bold(side[1]) " is " (side[2] == "*" ? "set" : listed(side[2], "or"))
	}
	return text
}

# The line below the name of a table.
function print_table_facts(t,    text) {
	text = t_list[t] ? "A list" : "One object"
	if (t_flags[t] ~ /ORDERED/) text = text " in an order that matters"
	if (t_flags[t] ~ /VDOM/) text = text ", one for each virtual domain"
	if (t_max[t] > 0) text = text ", at most " t_max[t] " entries"
	text = text "."
	if (t_flags[t] ~ /LOCAL/) text = text " It belongs to the unit."
	if (t_flags[t] ~ /STORED/) text = text " It is not enforced."
	if (t_group[t] == "any") text = text " Every administrator sees it."
	else if (t_group[t] != "") text = text " In roles it belongs to " bold(t_group[t]) "."
	print text
}

function print_options(t, a,    i) {
	print ".RS"
	for (i = 0; i < a_n_opt[t, a]; i++) {
		if (opt_help[t, a, i] == "" && !opt_stored[t, a, i]) continue
		print ".TP\n" bold(opt_name[t, a, i])
		print (opt_help[t, a, i] == "" ? "" : roff(opt_help[t, a, i])) \
		    (opt_stored[t, a, i] ? (opt_help[t, a, i] == "" ? "" : " ") "(not enforced)" : "")
	}
	print ".RE"
}

function option_helps(t, a,    i) {
	for (i = 0; i < a_n_opt[t, a]; i++)
		if (opt_help[t, a, i] != "" || opt_stored[t, a, i]) return 1
	return 0
}

function print_attr(t, a,    i, d, text) {
	text = type_of(t, a)
	if (a_n_opt[t, a] > 0) {
		d = opt_name[t, a, 0]
		for (i = 1; i < a_n_opt[t, a]; i++) d = d "|" opt_name[t, a, i]
		text = (((t, a, "multi") in a_is) ? "any of " listed(d, "and") : listed(d, "or"))
	}
	d = implied_default(t, a)
	if (a == 0 && t_list[t]) text = "key, " text
	else if (d != "" && d != "\001") text = text "; default " bold(d)
	if ((t, a, "required") in a_is) text = text "; required"
	if ((t, a, "unique") in a_is) text = text "; unique"
	if ((t, a, "session") in a_is) text = text "; of the session"
	else if ((t, a, "local") in a_is) text = text "; of the unit"
	if ((t, a, "stored") in a_is) text = text "; not enforced"
	print ".TP\n" bold(a_name[t, a]) " (" text ")"
	print roff(a_help[t, a])
	if (a_when[t, a] != "") print "It exists if " condition(a_when[t, a]) "."
	if (option_helps(t, a)) print_options(t, a)
}

function print_child(t, a,    c) {
	c = a_child[t, a]
	print ".TP\n" bold("config " a_name[t, a])
	print roff(a_help[t, a])
	print_table_facts(c)
	if (a_when[t, a] != "") print "It exists if " condition(a_when[t, a]) "."
	print ".RS"
	print_attrs(c)
	print ".RE"
}

function print_attrs(t,    a) {
	for (a = 0; a < t_n[t]; a++) {
		if (a_child[t, a] >= 0) print_child(t, a)
		else print_attr(t, a)
	}
}

function print_table(t,    i) {
	print ".SS \"" roff(t_path[t]) "\""
	print roff(t_help[t])
	print_table_facts(t)
	for (i = 0; i < n_aliases; i++)
		if (al_table[i] == t) print "Its " bold(al_child[i]) " is " bold("config " al_path[i]) ", too."
	print_attrs(t)
}

function print_module(name,    i, part) {
	print ".SH \"" toupper(name) "\""
	for (i = 0; i < n_top; i++) {
		split(t_path[top[i]], part, " ")
		if (part[1] == name) print_table(top[i])
	}
}

END {
	split("option option integer integer string text fqdn domain_name ipv4 IPv4_address ipv4-host IPv4_address_and_mask " \
	    "ipv4-net IPv4_network_and_mask ipv4-range IPv4_address_or_range ipv6 IPv6_address ipv6-prefix IPv6_network " \
	    "port-range port_or_range service-ports ports_of_servers,_and_of_clients_behind_a_colon mac MAC_address uuid UUID " \
	    "time hh:mm datetime hh:mm_yyyy/mm/dd password secret password-hash password", pairs, " ")
	for (i = 1; i in pairs; i += 2) {
		type_text[pairs[i]] = pairs[i + 1]
		gsub(/_/, " ", type_text[pairs[i]])
	}
	for (i = 0; i < n_top; i++) {
		split(t_path[top[i]], part, " ")
		if (!(part[1] in modules)) { modules[part[1]] = 1; order[n_modules++] = part[1] }
	}
	while ((getline line < page) > 0) {
		if (line != "@tables@") print line
		else for (m = 0; m < n_modules; m++) print_module(order[m])
	}
}
