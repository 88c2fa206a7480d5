// SPDX-License-Identifier: MIT
/*
 * Control groups v1, v2 and hybrid behind one interface that speaks v2's names. A group here is one directory per
 * hierarchy that carries a controller we use, so on a hybrid machine memory may live on v1 and pids on v2.
 * Written directly: a test must see the exact errno of each write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_HUGETLB, CGROUP_CONTROLLERS };
extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS]; /* "memory", "pids", "hugetlb" */

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

/* Where this process may create groups: one entry per controller. */
struct cgroup_hierarchy {
	enum cgroup_version version; /* of this controller */
	char mount[256];             /* mount point of the hierarchy, "" when version is CGROUP_NONE */
	char parent[512];            /* our own group inside it, "/" for the root */
};

struct cgroup_system {
	struct cgroup_hierarchy at[CGROUP_CONTROLLERS];
	char unified_mount[256]; /* cgroup2 mount point, "" when there is none */
};

/*
 * Find out from the text of /proc/self/mountinfo and /proc/self/cgroup (and for v2 from the parent's
 * cgroup.controllers, read below root_prefix, "" on a live system: captured trees are tested the same way) which
 * version serves each controller. Mount points are unescaped; a bind-mounted or namespaced hierarchy (mountinfo root
 * other than "/") is handled. Returns 0, or -EBADMSG for text that is no mountinfo.
 */
int cgroup_detect(const char *mountinfo, const char *self_cgroup, const char *root_prefix, struct cgroup_system *ret);

/* cgroup_detect() of the running system. -errno */
int cgroup_detect_self(struct cgroup_system *ret);

/* "v1", "v2", "hybrid" (memory or pids on v1, a v2 hierarchy mounted as well), "none" */
const char *cgroup_system_name(const struct cgroup_system *sys);

/*
 * Every number we read from or write to a group, in v2's words where it has one; what only v1 has is named alike
 * (memory.oom_control, memory.under_oom, memory.kmem.*, memory.memsw.peak). Those of one file stand together. JSON
 * names: "memory.max", "pids.events.max", ...
 */
#define CGROUP_VALUES(X)                                                                                               \
	X(MEMORY_CURRENT, MEMORY, "memory.current")                                                                    \
	X(MEMORY_MAX, MEMORY, "memory.max")                                                                            \
	X(MEMORY_HIGH, MEMORY, "memory.high")                                                                          \
	X(MEMORY_PEAK, MEMORY, "memory.peak")                                                                          \
	X(MEMORY_SWAP_MAX, MEMORY, "memory.swap.max")                                                                  \
	X(MEMORY_SWAP_CURRENT, MEMORY, "memory.swap.current")                                                          \
	X(MEMORY_SWAP_PEAK, MEMORY, "memory.swap.peak")                                                                \
	X(MEMORY_SWAP_EVENTS_MAX, MEMORY, "memory.swap.events.max")                                                    \
	X(MEMORY_SWAP_EVENTS_FAIL, MEMORY, "memory.swap.events.fail")                                                  \
	X(MEMORY_MEMSW_PEAK, MEMORY, "memory.memsw.peak")                                                              \
	X(MEMORY_OOM_GROUP, MEMORY, "memory.oom.group")                                                                \
	X(MEMORY_OOM_CONTROL, MEMORY, "memory.oom_control")                                                            \
	X(MEMORY_UNDER_OOM, MEMORY, "memory.under_oom")                                                                \
	X(MEMORY_EVENTS_MAX, MEMORY, "memory.events.max")                                                              \
	X(MEMORY_EVENTS_HIGH, MEMORY, "memory.events.high")                                                            \
	X(MEMORY_EVENTS_OOM, MEMORY, "memory.events.oom")                                                              \
	X(MEMORY_EVENTS_OOM_KILL, MEMORY, "memory.events.oom_kill")                                                    \
	X(MEMORY_EVENTS_OOM_GROUP_KILL, MEMORY, "memory.events.oom_group_kill")                                        \
	X(MEMORY_EVENTS_LOCAL_MAX, MEMORY, "memory.events.local.max")                                                  \
	X(MEMORY_EVENTS_LOCAL_HIGH, MEMORY, "memory.events.local.high")                                                \
	X(MEMORY_EVENTS_LOCAL_OOM, MEMORY, "memory.events.local.oom")                                                  \
	X(MEMORY_EVENTS_LOCAL_OOM_KILL, MEMORY, "memory.events.local.oom_kill")                                        \
	X(MEMORY_STAT_KERNEL, MEMORY, "memory.stat.kernel")                                                            \
	X(MEMORY_STAT_SLAB, MEMORY, "memory.stat.slab")                                                                \
	X(MEMORY_STAT_SLAB_RECLAIMABLE, MEMORY, "memory.stat.slab_reclaimable")                                        \
	X(MEMORY_STAT_SLAB_UNRECLAIMABLE, MEMORY, "memory.stat.slab_unreclaimable")                                    \
	X(MEMORY_KMEM_CURRENT, MEMORY, "memory.kmem.current")                                                          \
	X(MEMORY_KMEM_MAX, MEMORY, "memory.kmem.max")                                                                  \
	X(MEMORY_KMEM_EVENTS_MAX, MEMORY, "memory.kmem.events.max")                                                    \
	X(MEMORY_KMEM_TCP_CURRENT, MEMORY, "memory.kmem.tcp.current")                                                  \
	X(MEMORY_KMEM_TCP_MAX, MEMORY, "memory.kmem.tcp.max")                                                          \
	X(MEMORY_KMEM_TCP_PEAK, MEMORY, "memory.kmem.tcp.peak")                                                        \
	X(MEMORY_KMEM_TCP_EVENTS_MAX, MEMORY, "memory.kmem.tcp.events.max")                                            \
	X(PIDS_CURRENT, PIDS, "pids.current")                                                                          \
	X(PIDS_MAX, PIDS, "pids.max")                                                                                  \
	X(PIDS_EVENTS_MAX, PIDS, "pids.events.max")                                                                    \
	X(PIDS_EVENTS_LOCAL_MAX, PIDS, "pids.events.local.max")                                                        \
	X(HUGETLB_CURRENT, HUGETLB, "hugetlb.current")                                                                 \
	X(HUGETLB_MAX, HUGETLB, "hugetlb.max")                                                                         \
	X(HUGETLB_RSVD_CURRENT, HUGETLB, "hugetlb.rsvd.current")                                                       \
	X(HUGETLB_RSVD_MAX, HUGETLB, "hugetlb.rsvd.max")                                                               \
	X(HUGETLB_EVENTS_MAX, HUGETLB, "hugetlb.events.max")                                                           \
	X(HUGETLB_RSVD_EVENTS_MAX, HUGETLB, "hugetlb.rsvd.events.max")
#define X(id, controller, name) CGROUP_##id,
enum cgroup_value { CGROUP_VALUES(X) CGROUP_VALUE_COUNT };
#undef X

/* One row of the translation table: what serves a v2 name on v1, and which key of that file. */
struct cgroup_value_file {
	const char *name; /* our name, v2's with the event key appended */
	enum cgroup_controller controller;
	const char *v2_file, *v2_key; /* key NULL: the whole file is the number */
	const char *v1_file,
		*v1_key; /* file NULL: v1 has no such thing (memory.high); '*' is the default huge page size */
};
extern const struct cgroup_value_file cgroup_value_files[CGROUP_VALUE_COUNT];

/* The index of a v2 name, or -ENOENT. */
int cgroup_value_by_name(const char *name);

/* A transient group: a directory per hierarchy, open descriptors for every value, so that reading never allocates. */
struct cgroup {
	struct cgroup_system system;
	char name[64];                       /* "enomem-<id>" */
	int dir[CGROUP_CONTROLLERS];         /* -1 where the controller is absent or shares another one's directory */
	char path[CGROUP_CONTROLLERS][1024]; /* absolute directory; "" where absent */
	int value_fd[CGROUP_VALUE_COUNT];    /* -1 where absent */
	int procs_fd[CGROUP_CONTROLLERS];    /* cgroup.procs, write only; -1 where absent or shared */
	int memsw_failcnt_fd;                /* v1: the second half of memory.events.max; -1 where absent */
	unsigned enabled;                    /* v2: controllers enabled in the parent for this group, as a bit mask */
	struct cgroup *above; /* the group this one was made inside by cgroup_create_inside(), NULL for none */
};

struct cgroup_numbers {
	uint64_t value[CGROUP_VALUE_COUNT]; /* ENOMEM_ABSENT, ENOMEM_UNLIMITED ("max", v1's 9223372036854771712) or the
					       number */
};

/*
 * Create the group `name` below this process's own groups for the controllers of the bit mask (1 << CGROUP_MEMORY ...).
 * On v2, controllers are enabled in the parent's cgroup.subtree_control; where the "no internal processes" rule
 * forbids that, the group is made beside us below the nearest ancestor that allows it.
 * Controllers the system lacks are left out: look at path[]. Everything created is removed again on failure. -errno
 */
int cgroup_create(const struct cgroup_system *sys, const char *name, unsigned controllers, struct cgroup *ret);

/*
 * The same; each directory is announced right before it is made, so that a journal can name it (enables is 0), and so
 * is each directory whose subtree_control is about to get controllers (enables is their bit mask). An announcement that
 * fails (-errno) makes the creation fail.
 */
typedef int (*cgroup_announce)(const char *path, unsigned enables, void *data);
int cgroup_create_announced(const struct cgroup_system *sys, const char *name, unsigned controllers,
			    cgroup_announce announce, void *data, struct cgroup *ret);

/*
 * Room for groups where systemd delegated ours to us: a group with processes passes no controllers on, so this process,
 * if it is alone in there, moves into a group below for as long as it lives. To be called before cgroup_detect_self(),
 * which then finds the delegated group above; and before any child is started, since those are in it as well.
 * It is announced as groups are, see above. 1 when it moved, 0 when there is nothing to do (nothing is delegated, it is
 * cgroup v1, others are in it), -errno
 */
struct cgroup_leaf {
	char parent[1024], path[1100]; /* path is "" when it did not move */
	pid_t pid;
	unsigned enabled_before;
};
int cgroup_leaf_enter(const struct cgroup_system *sys, cgroup_announce announce, void *data, struct cgroup_leaf *ret);
/*
 * Back, when every group that was made is gone; the controllers that were enabled since are disabled. -EBUSY when
 * somebody else has groups there now: it stays then, and they keep their limits. Does nothing in any other process.
 */
int cgroup_leaf_leave(struct cgroup_leaf *leaf);

/*
 * A group inside another one that was just made and is empty: its limits bind this one's processes too. The same
 * controllers as the outer one has. From now on the outer one belongs to this: cgroup_remove() and cgroup_close() take
 * it along, and *outer must live as long. On failure the outer one is left as it is. -ENOTSUP where a v1 kernel does
 * not pass the memory limit of a group on to those inside it.
 */
int cgroup_create_inside(struct cgroup *outer, const char *name, cgroup_announce announce, void *data,
			 struct cgroup *ret);

/*
 * Open somebody else's groups as cgroup_detect() found them, to read: no descriptor of their directories, nothing to
 * remove. Never fails; path[] is "" where there is none, and at the root of a hierarchy, which has no limits.
 */
void cgroup_open_detected(const struct cgroup_system *sys, struct cgroup *ret);

/* A cgroup with nothing in it: every descriptor -1. Safe to close and remove. */
void cgroup_init(struct cgroup *cg);

/*
 * Set one limit by its v2 name; ENOMEM_UNLIMITED writes "max" (v1: -1, or "max" for pids).
 * -ENOTSUP when this version has no such limit, -ENODEV when the controller is absent, else the exact errno of the
 * write.
 */
int cgroup_set(struct cgroup *cg, enum cgroup_value value, uint64_t number);

/* Read every value into *ret, allocating nothing. Never fails: what cannot be read is ENOMEM_ABSENT. */
void cgroup_read(const struct cgroup *cg, struct cgroup_numbers *ret);

/*
 * Read every value of somebody else's group by its directory, for the controllers of the bit mask; the rest is
 * ENOMEM_ABSENT. ret_file_cache: the pages of files on its lists, which it can drop before it refuses; ENOMEM_ABSENT
 * when unknown.
 */
void cgroup_read_path(const char *dir, enum cgroup_version version, unsigned controllers, struct cgroup_numbers *ret,
		      uint64_t *ret_file_cache);

/* Move a process into the group, in every hierarchy. pid 0 is the caller. -errno */
int cgroup_attach(const struct cgroup *cg, pid_t pid);

/* SIGKILL every process in the group until none is left or timeout_ns passed (cgroup.kill on v2, a loop over
 * cgroup.procs on v1). */
int cgroup_kill(const struct cgroup *cg, uint64_t timeout_ns);

/* Kill and remove the directories (EBUSY is retried until timeout_ns), close every descriptor; the group above, where
 * there is one, goes likewise. 0 or the first -errno. */
int cgroup_remove(struct cgroup *cg, uint64_t timeout_ns);
void cgroup_close(struct cgroup *cg);

/* Kill what is inside and remove one left-over directory by path, as recover does. -errno */
int cgroup_remove_path(const char *path, uint64_t timeout_ns);

/*
 * Disable the controllers of the bit mask again in a v2 directory, as recover does. Those that are not enabled do not
 * matter, and a directory that has groups keeps them all. 1 when something was (with dry_run: would be) changed, 0 when
 * not, -errno
 */
int cgroup_disable_path(const char *path, unsigned controllers, bool dry_run);

/* The limits above the group: its ancestors up to the hierarchy's root, opened beforehand like the group itself. */
#define CGROUP_ANCESTORS 6
struct cgroup_ancestors {
	unsigned count;
	struct {
		char path[1024];
		enum cgroup_controller controller;
		enum cgroup_version version;
		int current_fd, max_fd, events_fd; /* events_fd -1 where there is none */
	} at[CGROUP_ANCESTORS * 2];
};
/* Open current/max of memory and pids for each ancestor directory that has them. Never fails; count tells. */
void cgroup_ancestors_open(const struct cgroup *cg, struct cgroup_ancestors *ret);
/* One of them now; what cannot be read is ENOMEM_ABSENT. refused: how often it said no, as its events or failcnt have
 * it. */
void cgroup_ancestor_read(const struct cgroup_ancestors *a, unsigned index, uint64_t *ret_current, uint64_t *ret_max,
			  uint64_t *ret_refused);
/* The most that one of them ever had in use, of memory; ENOMEM_ABSENT where the kernel keeps no peak (v2 before 5.19).
 */
uint64_t cgroup_ancestor_peak(const struct cgroup_ancestors *a, unsigned index);
void cgroup_ancestors_close(struct cgroup_ancestors *a);
