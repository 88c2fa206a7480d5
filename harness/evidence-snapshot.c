// SPDX-License-Identifier: MIT
/*
 * Counters as JSON, under the names metric paths use. See evidence-snapshot.h.
 */
#include "evidence-snapshot.h"

#include <string.h>

#include "environment.h"
#include "number.h"
#include "run.h"

#define PAGE_BYTES 4096

static void set(json_t *o, const char *name, uint64_t value)
{
	if (value != ENOMEM_ABSENT)
		json_object_set_new(o, name, json_number(value));
}

/* "memory.events.max" becomes {"memory": {"events": {"max": value}}}. */
static void set_nested(json_t *o, const char *dotted, uint64_t value)
{
	char name[64];
	const char *dot = strchr(dotted, '.');
	if (value == ENOMEM_ABSENT)
		return;
	if (!dot) {
		json_object_set_new(o, dotted, json_number(value));
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)(dot - dotted), dotted);
	json_t *inner = json_object_get(o, name);
	if (!inner) {
		inner = json_object();
		json_object_set_new(o, name, inner);
	}
	set_nested(inner, dot + 1, value);
}

static json_t *process_json(const struct snapshot *s)
{
	json_t *o = json_object(), *rlimit = json_object();
	json_object_set_new(o, "pid", json_integer(s->pid));
	json_object_set_new(o, "uid", json_integer(s->status.uid));
	if (s->status.state)
		json_object_set_new(o, "state", json_stringn(&s->status.state, 1));
	set(o, "oom_score", s->oom_score);
	if (s->oom_score_adj_seen)
		json_object_set_new(o, "oom_score_adj", json_integer(s->oom_score_adj));
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		set(o, status_names[i], s->status.value[i]);
	if (s->maps_seen) {
		set(o, "map_count", s->maps.count);
		set(o, "mapped_bytes", s->maps.mapped_bytes);
		set(o, "free_bytes", s->maps.free_bytes);
		set(o, "largest_hole", s->maps.largest_hole_bytes);
	}
	if (s->commit_seen) {
		set(o, "fork_charge", s->commit.fork_charge_bytes);
		set(o, "largest_accounted_area", s->commit.largest_area_bytes);
	}
	set(o, "uid_tasks", s->uid_tasks);
	set(o, "open_files", s->open_files);
	set(o, "signals_queued", s->signals_queued);
	set(o, "cpu_ns", s->cpu_ns);
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (environment_rlimit_name(i))
			set(rlimit, environment_rlimit_name(i), s->rlimit[i]);
	json_object_set_new(o, "rlimit", rlimit);
	return o;
}

static json_t *group_json(const struct cgroup_numbers *numbers)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		set_nested(o, cgroup_value_files[i].name, numbers->value[i]);
	return o;
}

/* Free blocks by their order, and the bytes of the largest. */
static void set_blocks(json_t *o, const struct buddyinfo *buddy)
{
	json_t *blocks = json_object();
	for (unsigned i = 0; i < BUDDY_ORDERS; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "order%u", i);
		set(blocks, name, buddy->blocks[i]);
	}
	set(blocks, "largest_free_block", buddyinfo_largest(buddy, PAGE_BYTES));
	json_object_set_new(o, "buddyinfo", blocks);
}

/* Kernels without pressure stall information have none of it. */
static void set_pressure(json_t *o, const struct pressure *p)
{
	json_t *full = json_object();
	set(full, "avg10", p->full_avg10);
	set(full, "total", p->full_total);
	if (json_object_size(full))
		json_object_set_new(o, "pressure", json_pack("{s:{s:O}}", "memory", "full", full));
	json_decref(full);
}

/* A size of 0 is no limit, as for memory files. */
static json_t *file_system_json(const struct file_system *fs)
{
	json_t *o = json_object();
	if (fs->size && fs->free <= fs->size) {
		set(o, "size", fs->size);
		set(o, "used", fs->size - fs->free);
	}
	if (fs->inodes && fs->inodes_free <= fs->inodes) {
		set(o, "inodes", fs->inodes);
		set(o, "inodes_used", fs->inodes - fs->inodes_free);
	}
	return o;
}

static json_t *sysv_json(const struct sysv_numbers *sysv)
{
	json_t *o = json_object();
	set(o, "msgmni", sysv->msgmni);
	set(o, "queues", sysv->queues);
	set(o, "semmsl", sysv->semmsl);
	set(o, "semmns", sysv->semmns);
	set(o, "semmni", sysv->semmni);
	set(o, "semaphores", sysv->semaphores);
	set(o, "sets", sysv->sets);
	return o;
}

static json_t *queue_json(const struct queue_numbers *queue)
{
	json_t *o = json_object();
	set(o, "queues_max", queue->queues_max);
	set(o, "msg_max", queue->messages_max);
	set(o, "msgsize_max", queue->message_bytes_max);
	set(o, "queues", queue->queues);
	set(o, "bytes", queue->bytes);
	return o;
}

static json_t *shm_json(const struct shm_numbers *shm)
{
	json_t *o = json_object();
	set(o, "shmmax", shm->shmmax);
	set(o, "shmall", shm->shmall);
	set(o, "shmmni", shm->shmmni);
	set(o, "pages", shm->pages);
	set(o, "segments", shm->segments);
	return o;
}

static void set_inotify(json_t *o, const struct inotify_numbers *numbers)
{
	json_t *all = json_object();
	set(all, "watches", numbers->watches);
	set(all, "watches_max", numbers->watches_max);
	set(all, "instances", numbers->instances);
	set(all, "instances_max", numbers->instances_max);
	if (json_object_size(all))
		json_object_set(o, "inotify", all);
	json_decref(all);
}

static void set_counted(json_t *o, const struct counted_numbers *numbers)
{
	json_t *all = json_object();
	set(all, "aio", numbers->aio);
	set(all, "aio_max", numbers->aio_max);
	set(all, "pipe_max_size", numbers->pipe_max_size);
	set(all, "pipe_pages", numbers->pipe_pages);
	set(all, "pipe_soft", numbers->pipe_soft);
	set(all, "pipe_hard", numbers->pipe_hard);
	set(all, "optmem", numbers->optmem);
	set(all, "optmem_max", numbers->optmem_max);
	set(all, "epoll_watches", numbers->epoll_watches);
	set(all, "epoll_watches_max", numbers->epoll_watches_max);
	set(all, "keys", numbers->keys);
	set(all, "keys_max", numbers->keys_max);
	set(all, "key_bytes", numbers->key_bytes);
	set(all, "key_bytes_max", numbers->key_bytes_max);
	set(all, "perf_mlock_kb", numbers->perf_mlock_kb);
	set(all, "perf_cpus", numbers->perf_cpus);
	set(all, "perf_rings", numbers->perf_rings);
	if (json_object_size(all))
		json_object_set(o, "counted", all);
	json_decref(all);
}

/* Only of the kinds that were asked for. */
static void set_namespaces(json_t *o, const struct namespace_numbers *numbers)
{
	json_t *all = json_object();
	for (unsigned i = 0; i < NAMESPACE_COUNT; i++) {
		json_t *one = json_object();
		set(one, "max", numbers[i].max);
		set(one, "in_use", numbers[i].in_use);
		set(one, "depth", numbers[i].depth);
		if (json_object_size(one))
			json_object_set(all, namespace_infos[i].name, one);
		json_decref(one);
	}
	if (json_object_size(all))
		json_object_set(o, "namespaces", all);
	json_decref(all);
}

json_t *evidence_snapshot(const struct snapshot *s)
{
	json_t *o = json_object(), *meminfo = json_object(), *vmstat = json_object(), *sysctl = json_object();
	json_object_set_new(o, "time_ns", json_number(s->time_ns));
	for (unsigned i = 0; i < MEMINFO_COUNT; i++)
		set(meminfo, meminfo_names[i], s->meminfo.value[i]);
	for (unsigned i = 0; i < VMSTAT_COUNT; i++)
		set(vmstat, vmstat_names[i], s->vmstat.value[i]);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		set(sysctl, sysctl_names[i], s->sysctl[i]);
	json_object_set_new(o, "meminfo", meminfo);
	json_object_set_new(o, "vmstat", vmstat);
	json_object_set_new(o, "sysctl", sysctl);
	json_object_set_new(o, "cgroup", group_json(&s->cgroup));
	json_t *above = group_json(&s->cgroup_above);
	if (json_object_size(above))
		json_object_set(o, "cgroup_above", above);
	json_decref(above);
	set_blocks(o, &s->buddy);
	set_pressure(o, &s->pressure);
	set(o, "tasks", s->tasks);
	set(o, "pid_ids", s->pid_ids);
	set(o, "namespace_pid_ids", s->namespace_pid_ids);
	if (s->process_seen)
		json_object_set_new(o, "process", process_json(s));
	if (s->file_seen)
		json_object_set_new(o, "file_system", file_system_json(&s->file));
	set_namespaces(o, s->namespaces);
	set_inotify(o, &s->inotify);
	set_counted(o, &s->counted);
	if (s->shm_seen)
		json_object_set_new(o, "shm", shm_json(&s->shm));
	if (s->queue_seen)
		json_object_set_new(o, "queue", queue_json(&s->queue));
	if (s->sysv_seen)
		json_object_set_new(o, "ipc", sysv_json(&s->sysv));
	return o;
}

static json_t *column(const struct sampler *s, size_t offset)
{
	json_t *a = json_array();
	for (unsigned i = 0; i < s->count; i++) {
		uint64_t value = *(const uint64_t *)(const void *)((const char *)&s->sample[i] + offset);
		json_array_append_new(a, value == ENOMEM_ABSENT ? json_null() : json_number(value));
	}
	return a;
}

json_t *evidence_samples(const struct sampler *s)
{
	static const struct {
		const char *name;
		size_t offset;
	} columns[] = {
		{"time_ns", offsetof(struct sample, time_ns)},
		{"mem_available", offsetof(struct sample, mem_available)},
		{"memory_current", offsetof(struct sample, memory_current)},
		{"rss", offsetof(struct sample, rss)},
		{"vm_size", offsetof(struct sample, vm_size)},
		{"swap_free", offsetof(struct sample, swap_free)},
		{"pids_current", offsetof(struct sample, pids_current)},
		{"map_count", offsetof(struct sample, map_count)},
	};
	json_t *o = json_object();
	json_object_set_new(o, "interval_ns", json_number(s->interval_ns));
	json_object_set_new(o, "cpu_ns", json_number(s->cpu_ns));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		json_object_set_new(o, columns[i].name, column(s, columns[i].offset));
	return o;
}
