// SPDX-License-Identifier: MIT
/*
 * See ipc-namespace.h. Namespaces are a thread's own matter: others of the harness stay where they are.
 */
#include "ipc-namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/shm.h>

#include "cleanup.h"
#include "knob.h"

/* *ret_back is where this thread was. */
static int enter(pid_t pid, int *ret_back)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	auto_close int there = open(path, O_RDONLY | O_CLOEXEC);
	auto_close int here = open("/proc/thread-self/ns/ipc", O_RDONLY | O_CLOEXEC);
	if (there < 0 || here < 0 || setns(there, CLONE_NEWIPC) < 0)
		return -errno;
	*ret_back = steal_fd(here);
	return 0;
}

static int leave(int back)
{
	return setns(back, CLONE_NEWIPC) < 0 ? -errno : 0;
}

static int read_shm(struct shm_numbers *ret)
{
	struct shminfo limits;
	struct shm_info use;
	if (shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&limits) < 0 ||
	    shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&use) < 0)
		return -errno;
	*ret = (struct shm_numbers){.shmmax = limits.shmmax,
				    .shmall = limits.shmall,
				    .shmmni = limits.shmmni,
				    .pages = use.shm_tot,
				    .segments = (uint64_t)use.used_ids};
	return 0;
}

int ipc_namespace_shm(pid_t pid, struct shm_numbers *ret)
{
	auto_close int back = -1;
	int r = enter(pid, &back);
	if (r < 0)
		return r;
	r = read_shm(ret);
	int left = leave(back);
	return r < 0 ? r : left;
}

int ipc_namespace_segment_bytes(pid_t pid, int id, uint64_t *ret_bytes)
{
	struct shmid_ds segment;
	auto_close int back = -1;
	int r = enter(pid, &back);
	if (r < 0)
		return r;
	r = shmctl(id, IPC_STAT, &segment) < 0 ? -errno : 0;
	int left = leave(back);
	if (r == 0)
		*ret_bytes = segment.shm_segsz;
	return r < 0 ? r : left;
}

int ipc_namespace_set(pid_t pid, const char *name, const char *value)
{
	auto_close int back = -1;
	int r = enter(pid, &back);
	if (r < 0)
		return r;
	r = knob_set_sysctl(name, value);
	int left = leave(back);
	return r < 0 ? r : left;
}
