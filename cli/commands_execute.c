/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of `execute`: what is done once. Some are answered by the daemon, some are programs of the
 * system that run as the administrator. A row with a warning asks at a terminal whether to go on.
 */
#include "cli/commands_rows.h"

static const struct argument serial_args[] = {
	{ "<serial>", "Serial number of another member." },
};

static const struct argument session_id_args[] = {
	{ "<index>", "Of the session; without it, the sessions are listed." },
};

static const struct argument old_filter_args[] = {
	{ "<criterion or verb>", "Criterion; `clear`, `negate`, or `list` to show the filter." },
	{ "<from>", "Value, or the first of a range; what to clear or negate." },
	{ "<to>", "Last value of the range." },
};

static const struct command execute_set_session[] = {
	{ "filter", "Set the filter of this connection.", .min_args = 1, .max_args = 3,
	  .args = old_filter_args, REMOTE },
	{ 0 }
};

static const struct command execute_set_system[] = {
	{ "session", "Sessions.", .sub = execute_set_session },
	{ 0 }
};

static const struct command execute_set[] = {
	{ "system", "The system.", .sub = execute_set_system },
	{ 0 }
};

static const struct argument category_args[] = {
	{ "<category>", "Name or number; without it, the categories are listed." },
};

static const struct argument device_args[] = {
	{ "<device>", "Name or number; without it, the devices are listed." },
};

static const struct argument field_args[] = {
	{ "<field>", "Name of the field, as in the lines." },
	{ "<value>", "Value, or LOW-HIGH of numbers or addresses; `not` before the values." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
	{ "<value>", "Another value." },
};

static const struct argument checklines_args[] = {
	{ "<number>", "100 to 1000000; 0 for all." },
};

static const struct argument reset_args[] = {
	{ "<part>", "`all`, or `field` for the conditions on fields only." },
};

static const struct argument start_line_args[] = {
	{ "<number>", "1 is the newest line that matches." },
};

static const struct argument view_lines_args[] = {
	{ "<number>", "5 to 1000." },
};

static const struct command execute_log_filter[] = {
	{ "category", "Kind of lines.", .max_args = 1, .args = category_args, REMOTE },
	{ "device", "Where the lines are kept.", .max_args = 1, .args = device_args, REMOTE },
	{ "dump", "Show the filter.", REMOTE },
	{ "field", "Condition on a field.", .min_args = 2, .max_args = 9,
	  .args = field_args, REMOTE },
	{ "max-checklines", "Most lines to look at.", .min_args = 1, .max_args = 1,
	  .args = checklines_args, REMOTE },
	{ "reset", "Forget the filter.", .max_args = 1, .args = reset_args, REMOTE },
	{ "start-line", "First line to show.", .min_args = 1, .max_args = 1,
	  .args = start_line_args, REMOTE },
	{ "view-lines", "Most lines to show.", .min_args = 1, .max_args = 1,
	  .args = view_lines_args, REMOTE },
	{ 0 }
};

static const struct command execute_log[] = {
	{ "delete", "Remove the lines of the filter's category.",
	  .warning = "This will delete all log lines of the category!", REMOTE },
	{ "delete-all", "Remove all lines.", .warning = "This will delete all log lines!", REMOTE },
	{ "display", "Show the lines that the filter picks, the newest first.", REMOTE },
	{ "filter", "Choose the lines that are shown.", .sub = execute_log_filter },
	{ 0 }
};

static const struct command execute_ha[] = {
	{ "forget", "Let a member leave the auto-scale group.", .min_args = 1, .max_args = 1,
	  .args = serial_args, .warning = "This will remove the member from the group!", REMOTE },
	{ 0 }
};

static const struct command execute_cfg[] = {
	{ "reload", "Go back to what was saved last.",
	  .warning = "This drops all changes that are not saved!",
	  REMOTE },
	{ "save", "Save the configuration as it is.", REMOTE },
	{ "status", "Tell what is not saved, and when the unit goes back.", REMOTE },
	{ 0 }
};

static const struct command execute_revision_list[] = {
	{ "config", "All that is kept, the newest first: who, when, comment.", REMOTE },
	{ 0 }
};

static const struct argument revision_comment_args[] = {
	{ "<revision>", "Number of the revision." },
	{ "<comment>", "What it is about, in quotes." },
};

static const struct argument diff_args[] = {
	{ "<revision>", "Number of a revision." },
	{ "<revision>", "Number of another one; without it, the configuration as it is." },
};

static const struct argument revert_args[] = {
	{ "<revision>", "Number of the revision." },
	{ "<minutes>", "Until it is taken back unless it is confirmed; without it, never." },
};

static const struct command execute_revision[] = {
	{ "comment", "Say what a revision is about.", .min_args = 2, .max_args = 2,
	  .args = revision_comment_args, REMOTE },
	{ "diff", "Commands that turn a revision into another one.", .min_args = 1, .max_args = 2,
	  .args = diff_args, REMOTE },
	{ "list", "Show revisions.", .sub = execute_revision_list },
	{ "revert", "Bring the configuration of a revision back.", .min_args = 1, .max_args = 2,
	  .args = revert_args,
	  .warning = "This replaces the configuration by that of another revision!",
	  REMOTE },
	{ 0 }
};

static const struct command execute_batch[] = {
	{ "end", "Carry out the lines that were put aside.",
	  .flags = COMMAND_AT_ONCE | COMMAND_TEXT, .run = cmd_batch_end },
	{ "lastlog", "Tell what became of the commands of the last batch.",
	  .flags = COMMAND_AT_ONCE, REMOTE },
	{ "start", "From now on, put lines aside.", .flags = COMMAND_AT_ONCE | COMMAND_TEXT,
	  .run = cmd_batch_start },
	{ "status", "Tell whether lines are put aside.", .flags = COMMAND_AT_ONCE | COMMAND_TEXT,
	  .run = cmd_batch_status },
	{ 0 }
};

static const struct argument transaction_args[] = {
	{ "<id>", "Number of the config transaction, as status shows it." },
};

static const struct argument revision_args[] = {
	{ "<waiting>", "Revision that waits; without it, yours." },
};

static const struct argument start_args[] = {
	{ "<minutes>", "1 to 1440: it ends after so many without a change; 60 if not said." },
};

static const struct argument comment_args[] = {
	{ "<text>", "What the list of revisions says about it." },
	{ "confirm", "Take it back unless it is confirmed." },
	{ "<minutes>", "1 to 1440." },
};

static const struct argument confirm_args[] = {
	{ "<minutes>", "1 to 1440." },
	{ "comment", "Say what it is." },
	{ "<text>", "What the list of revisions says about it." },
};

static const struct command execute_transaction_commit[] = {
	{ "comment", "Say what it is.", .min_args = 1, .max_args = 3, .args = comment_args,
	  REMOTE },
	{ "confirm", "Take it back after some minutes unless it is confirmed.", .min_args = 1,
	  .max_args = 3, .args = confirm_args, REMOTE },
	{ 0 }
};

static const struct command execute_transaction[] = {
	{ "abort", "Drop what was changed in it.", .max_args = 1, .args = transaction_args,
	  .flags = COMMAND_CHECKED, .run = cmd_transaction_take },
	{ "commit", "Make active what was changed in it.", .sub = execute_transaction_commit,
	  REMOTE },
	{ "confirm", "Keep what was committed to be confirmed.", .max_args = 1,
	  .args = revision_args, REMOTE },
	{ "diff", "Show what it would change, as commands.", REMOTE },
	{ "resume", "Go on with one that was left open.", .min_args = 1, .max_args = 1,
	  .args = transaction_args, .flags = COMMAND_CHECKED, .run = cmd_transaction_take },
	{ "start", "From now on, changes are not active before a commit.", .max_args = 1,
	  .args = start_args, REMOTE },
	{ "status", "Show what is open.", REMOTE },
	{ 0 }
};

static const struct argument host_args[] = {
	{ "<host>", "Address or name." },
};

static const struct argument number_args[] = {
	{ "<number>", "Number." },
};

static const struct argument seconds_args[] = {
	{ "<seconds>", "1 to 3600." },
};

static const struct argument source_args[] = {
	{ "<address>", "Address of the unit, or auto." },
};

static const struct argument outgoing_args[] = {
	{ "<interface>", "Interface, or auto." },
};

static const struct argument yes_args[] = {
	{ "<yes>", "yes or no." },
};

#define PING_OPTION(a) .min_args = 1, .max_args = 1, .args = a, .run = cmd_ping_option

static const struct command execute_ping_options[] = {
	{ "data-size", "Bytes of data, 0 to 65507.", PING_OPTION(number_args) },
	{ "df-bit", "Whether packets may not be cut into fragments.", PING_OPTION(yes_args) },
	{ "interface", "Interface that packets leave by.", PING_OPTION(outgoing_args) },
	{ "interval", "Seconds between packets.", PING_OPTION(seconds_args) },
	{ "repeat-count", "How many packets.", PING_OPTION(number_args) },
	{ "reset", "Forget all options.", .run = cmd_ping_reset },
	{ "source", "Address that packets come from.", PING_OPTION(source_args) },
	{ "timeout", "Seconds to wait for an answer.", PING_OPTION(seconds_args) },
	{ "tos", "Type of service, 0 to 255.", PING_OPTION(number_args) },
	{ "ttl", "Routers that packets may pass, 1 to 255.", PING_OPTION(number_args) },
	{ "view-settings", "Show the options.", .flags = COMMAND_TEXT, .run = cmd_ping_view },
	{ 0 }
};

static const struct argument date_args[] = {
	{ "<date>", "YYYY-MM-DD; without it, today's is shown." },
};

static const struct argument time_args[] = {
	{ "<time>", "HH:MM or HH:MM:SS; without it, the time is shown." },
};

static const struct argument reason_args[] = {
	{ "<text>", "What the log and others who are logged in are told." },
};

#define REBOOT \
	.warning = "This operation will reboot the system!", .flags = COMMAND_TEXT, \
	.run = cmd_reboot
#define SHUTDOWN \
	.warning = "This operation will shut down the system!", .flags = COMMAND_TEXT, \
	.run = cmd_shutdown

static const struct command execute_reboot[] = {
	{ "comment", "With a comment.", .min_args = 1, .max_args = 1, .args = reason_args,
	  REBOOT },
	{ 0 }
};

static const struct command execute_shutdown[] = {
	{ "comment", "With a comment.", .min_args = 1, .max_args = 1, .args = reason_args,
	  SHUTDOWN },
	{ 0 }
};

static const struct command execute_clear_arp[] = {
	{ "table", "Forget all neighbours.", REMOTE },
	{ 0 }
};

static const struct command execute_clear_system[] = {
	{ "arp", "Neighbours.", .sub = execute_clear_arp },
	{ 0 }
};

static const struct command execute_clear[] = {
	{ "system", "The system.", .sub = execute_clear_system },
	{ 0 }
};

static const struct argument backup_args[] = {
	{ "<file>", "File to write; - for standard output; flash to name the present revision." },
	{ "<comment>", "Comment of the revision, with flash." },
	{ 0 }, /* where `tftp FILE SERVER PASSWORD` ends */
	{ 0 },
};

static const struct argument backup_file_args[] = {
	{ "<file>", "File to write; - for standard output." },
	{ 0 },
	{ 0 },
	{ 0 },
};

#define BACKUP_FLAGS (COMMAND_UNPAGED | COMMAND_TEXT | COMMAND_CHECKED)

static const struct command execute_backup[] = {
	{ "config", "What `show` prints.", .min_args = 1, .max_args = 4, .args = backup_args,
	  .flags = BACKUP_FLAGS, .run = cmd_backup },
	{ "full-config", "With values that are at their default.", .min_args = 1, .max_args = 4,
	  .args = backup_file_args, .flags = BACKUP_FLAGS, .run = cmd_backup },
	{ "yaml-config", "As YAML, for other programs.", .min_args = 1, .max_args = 4,
	  .args = backup_file_args, .flags = BACKUP_FLAGS, .run = cmd_backup },
	{ 0 }
};

#define RESTORE_OPTION \
	{ "<option>", "--check: only report; --partial: leave out what is refused; --confirm " \
		      "<minutes>: take it back then unless it is confirmed." }

static const struct argument restore_args[] = {
	{ "<file>", "File to read; - for standard input." },
	RESTORE_OPTION,
	RESTORE_OPTION,
	RESTORE_OPTION,
	RESTORE_OPTION,
};

static const struct command execute_restore[] = {
	{ "config", "Replace the configuration by that of a file.", .min_args = 1, .max_args = 5,
	  .args = restore_args, .flags = COMMAND_UNPAGED | COMMAND_TEXT | COMMAND_CHECKED,
	  .run = cmd_restore },
	{ 0 }
};

static const struct command execute_private[] = {
	{ "id", "Show which key it is; backups name it, too.", REMOTE },
	{ "key", "Give the key, which no line may hold: it is asked for, or read from standard "
	  "input.", .flags = COMMAND_UNPAGED | COMMAND_CHECKED, .run = cmd_private_key },
	{ 0 }
};

const struct command commands_execute[] = {
	{ "backup", "Save the configuration.", .sub = execute_backup },
	{ "batch", "A script that is typed: carried out as one, its codes kept.",
	  .sub = execute_batch },
	{ "cfg", "What of the configuration is saved.", .sub = execute_cfg },
	{ "clear", "Forget what was learnt.", .sub = execute_clear },
	{ "config-transaction", "Changes that become active together.",
	  .sub = execute_transaction },
	{ "date", "Show the date, or set it.", .max_args = 1, .args = date_args,
	  .flags = COMMAND_TEXT, .run = cmd_date },
	{ "disconnect-admin-session", "End the session of an administrator.", .max_args = 1,
	  .args = session_id_args, REMOTE },
	{ "ha", "Other units.", .sub = execute_ha },
	{ "log", "Lines that the unit has logged.", .sub = execute_log },
	{ "ping", "Send five echo requests.", .min_args = 1, .max_args = 1, .args = host_args,
	  .flags = COMMAND_UNPAGED | COMMAND_TEXT, .run = cmd_ping },
	{ "ping-options", "How `execute ping` works in this session.",
	  .sub = execute_ping_options },
	{ "private-data-encryption", "The key that secrets are encrypted with.",
	  .sub = execute_private },
	{ "reboot", "Restart the machine.", .sub = execute_reboot, REBOOT },
	{ "restore", "Take a saved configuration.", .sub = execute_restore },
	{ "revision", "The history of the configuration.", .sub = execute_revision },
	{ "set", "Set what lasts as long as the connection.", .sub = execute_set },
	{ "shutdown", "Switch the machine off.", .sub = execute_shutdown, SHUTDOWN },
	{ "sync-session", "Send all sessions to the other units once more.", REMOTE },
	{ "time", "Show the time, or set it.", .max_args = 1, .args = time_args,
	  .flags = COMMAND_TEXT, .run = cmd_time },
	{ "traceroute", "Show the routers on the way to a host.", .min_args = 1, .max_args = 1,
	  .args = host_args, .flags = COMMAND_UNPAGED | COMMAND_TEXT, .run = cmd_traceroute },
	{ 0 }
};
