# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of the command line of gatehouse(1) for bash(1): options, files, and inside the quotes of a
# command what the shell of gatehouse itself offers there, after the commands of earlier -c.

# _gatehouse_command QUOTE TEXT ARGUMENT...: what the text of a -c, behind this opening quote, can become.
# A word of several is listed alone but inserted with what stands before it.
_gatehouse_command() {
	local quote=$1 text=$2 lines line
	case $quote in
	'"') text=$(sed 's/\\\(["\\$`]\)/\1/g' <<<"$text") ;;
	'') text=$(sed 's/\\\(.\)/\1/g' <<<"$text") ;;
	esac
	mapfile -t lines < <("${@:3}" --complete "$text" 2>/dev/null)
	for line in "${lines[@]:1}"; do
		[ "$COMP_TYPE" = 63 ] && [ "${#lines[@]}" -gt 2 ] || line=${lines[0]}$line
		case $quote in
		"'") [[ $line != *"'"* ]] || continue ;;
		'"') line=$(sed 's/["\\$`]/\\&/g' <<<"$line") ;;
		'') line=$(sed 's/[^[:alnum:]_./:-]/\\&/g' <<<"$line") ;;
		esac
		COMPREPLY+=("$line")
	done
	# The command goes on: bash must not close the quote.
	[ "${#COMPREPLY[@]}" -ne 1 ] || [ -z "$quote" ] || COMPREPLY+=("${COMPREPLY[0]} ")
	compopt -o nospace
}

_gatehouse() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i
	local call=("$1")
	COMPREPLY=()
	case $before in
	-c)
		# The words are as they were typed, in their quotes.
		for ((i = 1; i < COMP_CWORD - 1; i++)); do
			case ${COMP_WORDS[i]} in
			-c | --socket) call+=("${COMP_WORDS[i]}" "$(_gatehouse_unquote "${COMP_WORDS[++i]}")") ;;
			esac
		done
		case $word in
		[\'\"]*) _gatehouse_command "${word:0:1}" "${word:1}" "${call[@]}" ;;
		*) _gatehouse_command '' "$word" "${call[@]}" ;;
		esac
		;;
	-f | --socket)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	*)
		[[ $word == -* || -z $word ]] || return 0
		mapfile -t COMPREPLY < <(compgen -W "$("$1" --help | grep -o -- '^ *-.*' | grep -oE -- '(^ *|, )--?[a-z-]+' |
			tr -d ', ')" -- "$word")
		;;
	esac
}

# _gatehouse_unquote WORD: a word without its quotes and backslashes, which is what a command gets.
_gatehouse_unquote() {
	xargs printf '%s' <<<"$1" 2>/dev/null
}

complete -F _gatehouse gatehouse
