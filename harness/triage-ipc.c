// SPDX-License-Identifier: MIT
/*
 * Rows of message queues and semaphores: what an IPC namespace has of them, and may have. See triage.h.
 */
#include <inttypes.h>
#include <sys/param.h>

#include "triage.h"

#define IDS_MAX          32768 /* IPCMNI */
#define SET_SEM(numbers) "sysctl -w kernel.sem=\"$(sysctl -n kernel.sem | awk \"{print " numbers "}\")\""

int triage_ipc(struct triage *t, const struct sysv_numbers *sysv, int32_t pid)
{
	const struct {
		enum triage_limit limit;
		uint64_t in_use, bound;
	} limits[] = {{TRIAGE_IPC_QUEUES, sysv->queues, sysv->msgmni},
		      {TRIAGE_IPC_SETS, sysv->sets, sysv->semmni},
		      {TRIAGE_IPC_SEMAPHORES, sysv->semaphores, sysv->semmns}};
	int r = 0;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && r == 0; i++) {
		struct triage_row row = {.kind = TRIAGE_OF_MACHINE,
					 .limit = limits[i].limit,
					 .pid = pid,
					 .in_use = limits[i].in_use,
					 .bound = limits[i].bound,
					 .setting = limits[i].bound};
		if (row.in_use) /* who has none is not near it */
			r = triage_add(t, &row);
	}
	return r;
}

/*
 * Twice as much, or as much as the kernel takes (IPCMNI, an int): a number above that it refuses as a whole. kernel.sem
 * has to be written with all four numbers, of which the others stay. At the end only removing something helps.
 */
static void command_of(const struct triage_row *row, char *buf, size_t size)
{
	const uint64_t most = row->limit == TRIAGE_IPC_SEMAPHORES ? INT32_MAX : IDS_MAX;
	const uint64_t wanted = MIN(2 * MAX(MIN(MAX(row->bound, row->in_use), most), 1), most);
	const char what = row->limit == TRIAGE_IPC_QUEUES ? 'q' : 's';
	if (row->bound >= most)
		(void)snprintf(buf, size, "ipcs -%c; ipcrm -%c ID", what, what);
	else if (row->limit == TRIAGE_IPC_QUEUES)
		(void)snprintf(buf, size, "sysctl -w kernel.msgmni=%" PRIu64, wanted);
	else if (row->limit == TRIAGE_IPC_SETS)
		(void)snprintf(buf, size, SET_SEM("\\$1, \\$2, \\$3, %" PRIu64), wanted);
	else
		(void)snprintf(buf, size, SET_SEM("\\$1, %" PRIu64 ", \\$3, \\$4"), wanted);
}

/* In the namespace of the process, where it is about one. */
void triage_ipc_fix(const struct triage_row *row, char *buf, size_t size)
{
	char command[256];
	command_of(row, command, sizeof(command));
	if (row->pid > 0)
		(void)snprintf(buf, size, "nsenter -i -t %d sh -c '%s'", row->pid, command);
	else
		(void)snprintf(buf, size, "%s", command);
}
