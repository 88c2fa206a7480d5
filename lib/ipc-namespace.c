// SPDX-License-Identifier: MIT
/*
 * See ipc-namespace.h. Namespaces are a thread's own matter: others of the harness stay where they are.
 */
#include "ipc-namespace-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "cleanup.h"
#include "knob.h"

int ipc_namespace_enter(pid_t pid, int *ret_back)
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

int ipc_namespace_leave(int back)
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
	int r = ipc_namespace_enter(pid, &back);
	if (r < 0)
		return r;
	r = read_shm(ret);
	int left = ipc_namespace_leave(back);
	return r < 0 ? r : left;
}

/* The arguments of semctl(2): glibc leaves the union to its callers. */
union semun {
	struct seminfo *info;
};

static int read_sysv(struct sysv_numbers *ret)
{
	struct msginfo queue_limits, queues;
	struct seminfo set_limits, sets;
	if (msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&queue_limits) < 0 ||
	    msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&queues) < 0 ||
	    semctl(0, 0, IPC_INFO, (union semun){.info = &set_limits}) < 0 ||
	    semctl(0, 0, SEM_INFO, (union semun){.info = &sets}) < 0)
		return -errno;
	/* What MSG_INFO and SEM_INFO count stands in fields that bear other names in IPC_INFO's answer. */
	*ret = (struct sysv_numbers){.msgmni = (uint64_t)queue_limits.msgmni,
				     .queues = (uint64_t)queues.msgpool,
				     .semmsl = (uint64_t)set_limits.semmsl,
				     .semmns = (uint64_t)set_limits.semmns,
				     .semmni = (uint64_t)set_limits.semmni,
				     .semaphores = (uint64_t)sets.semaem,
				     .sets = (uint64_t)sets.semusz};
	return 0;
}

int ipc_namespace_sysv(pid_t pid, struct sysv_numbers *ret)
{
	auto_close int back = -1;
	int r = ipc_namespace_enter(pid, &back);
	if (r < 0)
		return r;
	r = read_sysv(ret);
	int left = ipc_namespace_leave(back);
	return r < 0 ? r : left;
}

int ipc_namespace_segment_bytes(pid_t pid, int id, uint64_t *ret_bytes)
{
	struct shmid_ds segment;
	auto_close int back = -1;
	int r = ipc_namespace_enter(pid, &back);
	if (r < 0)
		return r;
	r = shmctl(id, IPC_STAT, &segment) < 0 ? -errno : 0;
	int left = ipc_namespace_leave(back);
	if (r == 0)
		*ret_bytes = segment.shm_segsz;
	return r < 0 ? r : left;
}

int ipc_namespace_set(pid_t pid, const char *name, const char *value)
{
	auto_close int back = -1;
	int r = ipc_namespace_enter(pid, &back);
	if (r < 0)
		return r;
	r = knob_set_sysctl(name, value);
	int left = ipc_namespace_leave(back);
	return r < 0 ? r : left;
}
