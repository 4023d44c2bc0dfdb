/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history: the lines typed at the prompt, in readline's memory and in a file.
 *
 * Each line is appended to the file when it is entered, so that several prompts at once, and one
 * that is killed, lose nothing. A line that begins with a blank is kept nowhere. A line may be
 * many: what was typed or pasted as one input comes back as one.
 */
#ifndef IPFI_SHELL_HISTORY_H
#define IPFI_SHELL_HISTORY_H

/* Sets readline's history up. Before all others. */
void history_prepare(void);

/*
 * Reads a file and keeps lines there from now on; one that is not there is made with the first
 * line, for its owner alone. Returns 0 or -errno: -EPERM when the file belongs to somebody else or
 * is no regular one. Nothing is kept there then.
 */
int history_open(const char *path);

/* Keeps a line, unless it is that before or begins with a blank. */
void history_keep(const char *line);

#endif
