/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule set is put in force: what live connections, hooks and limits make of it. */
#ifndef IPFI_COMMIT_H
#define IPFI_COMMIT_H

#include "module/net.h"
#include "module/ruleset/ruleset.h"

/*
 * Compiles @rs and makes it the running one, with the next generation; arms the namespace if it was not.
 * The reference goes to the namespace when 0 is returned. Holds in->mutex. Sleeps.
 */
int ipfi_commit(struct ipfi_net *in, struct ipfi_ruleset *rs, enum ipfi_commit_states states);

/*
 * Puts in force again, with the next generation, a rule set that has been: @rs, whose reference goes to the namespace,
 * or NULL for none, when every packet passes and no state is kept. Live states are judged again. Holds in->mutex.
 * Sleeps.
 */
void ipfi_commit_restore(struct ipfi_net *in, struct ipfi_ruleset *rs);

#endif /* IPFI_COMMIT_H */
