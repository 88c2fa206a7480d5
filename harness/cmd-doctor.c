// SPDX-License-Identifier: MIT
/*
 * enomem doctor: what this machine supports, and what to change to run more.
 */
#include <cap-ng.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "guest-kernel.h"
#include "kmsg.h"
#include "leftovers.h"
#include "machine.h"
#include "number.h"
#include "options.h"
#include "own-group.h"
#include "say.h"
#include "table.h"

static const struct option_row options[] = {{NULL, 0, NULL, NULL}};

enum state { OK, LESS, NO };
static const char *const state_words[] = {"ok", "less", "NO"};

struct doctor {
	const struct machine *machine;
	struct libscols_table *table;
	unsigned worst;
};

static void say(struct doctor *d, enum state state, const char *what, const char *found, const char *advice)
{
	if ((unsigned)state > d->worst)
		d->worst = state;
	(void)table_add(d->table, (const char *const[]){state_words[state], what, found, advice});
}

static bool capable(const struct machine *m, unsigned cap)
{
	return m->capabilities >> cap & 1;
}

static void check_identity(struct doctor *d)
{
	const struct machine *m = d->machine;
	if (m->root)
		say(d, OK, "identity", "root", "");
	else
		say(d, m->user_namespaces ? LESS : NO, "identity",
		    m->user_namespaces ? "unprivileged, with user namespaces" : "unprivileged, no user namespaces",
		    m->user_namespaces && m->cgroup_writable[CGROUP_MEMORY] && m->cgroup_writable[CGROUP_PIDS]
			    ? "process, namespace and cgroup scope: this cgroup is yours"
		    : m->user_namespaces
			    ? "process and namespace scope only; sudo, or a cgroup of your own, adds cgroup scope"
			    : "sysctl kernel.unprivileged_userns_clone=1 and user.max_user_namespaces above "
			      "0, or sudo");
	say(d, capable(m, CAP_SYS_RESOURCE) ? OK : LESS, "CAP_SYS_RESOURCE",
	    capable(m, CAP_SYS_RESOURCE) ? "yes" : "no",
	    capable(m, CAP_SYS_RESOURCE)
		    ? ""
		    : "the harness cannot lower its own oom_score_adj; the victim's is raised instead");
}

static void check_witness(struct doctor *d)
{
	bool works = d->machine->why_no_witness[0] == '\0';
	auto_close int fd = -1;
	say(d, works ? OK : NO, "witness", works ? "ptrace and seccomp work" : "does not work",
	    d->machine->why_no_witness);
	int r = kmsg_open(&fd);
	say(d, r == 0 ? OK : LESS, "kernel log", r == 0 ? "readable" : strerrorname_np(-r),
	    r == 0 ? ""
		   : "OOM kills are proven by the cgroup's counter alone; sysctl kernel.dmesg_restrict=0 or root lets "
		     "the log name the pid");
}

static void check_controller(struct doctor *d, enum cgroup_controller c)
{
	static const char *const versions[] = {"not mounted", "v1", "v2"};
	char found[64];
	enum cgroup_version version = d->machine->cgroup.at[c].version;
	bool usable = d->machine->cgroup_writable[c];
	(void)snprintf(found, sizeof(found), "%s%s", versions[version],
		       version != CGROUP_NONE && !usable ? ", not writable" : "");
	say(d, usable ? OK : LESS, c == CGROUP_MEMORY ? "memory cgroups" : "pids cgroups", found,
	    usable                   ? ""
	    : version == CGROUP_NONE ? "mount the controller: mount -t cgroup2 none /sys/fs/cgroup"
				     : "run as root, or in a cgroup of your own, as told below");
}

/* In one piece, to be copied: a table may break it. */
static void tell_delegation(const struct machine *m)
{
	bool v2 = m->cgroup.at[CGROUP_MEMORY].version == CGROUP_V2 || m->cgroup.at[CGROUP_PIDS].version == CGROUP_V2;
	if (!m->root && v2 && !(m->cgroup_writable[CGROUP_MEMORY] && m->cgroup_writable[CGROUP_PIDS]))
		puts("\nFor cgroup scope without root, where systemd manages your session:\n    " OWN_GROUP_COMMAND
		     " enomem run");
}

static void check_sysctls(struct doctor *d)
{
	const uint64_t *sysctl = d->machine->now.sysctl;
	char found[64];
	(void)snprintf(found, sizeof(found), "%llu", (unsigned long long)sysctl[SYSCTL_OVERCOMMIT_MEMORY]);
	say(d, sysctl[SYSCTL_OVERCOMMIT_MEMORY] == 0 ? OK : LESS, "vm.overcommit_memory", found,
	    sysctl[SYSCTL_OVERCOMMIT_MEMORY] == 0 ? "" : "mode 0 scenarios are skipped; sysctl vm.overcommit_memory=0");
	(void)number_format_count(found, sizeof(found), sysctl[SYSCTL_MAX_MAP_COUNT]);
	say(d, sysctl[SYSCTL_MAX_MAP_COUNT] <= 262144 ? OK : LESS, "vm.max_map_count", found,
	    sysctl[SYSCTL_MAX_MAP_COUNT] <= 262144 ? "" : "max-map-count takes long and may meet its deadline");
}

/* Guests are started to find out whether they work; here only what they need is looked for. */
static void check_guests(struct doctor *d)
{
	const char *qemu = secure_getenv("ENOMEM_QEMU"), *path = getenv("PATH");
	struct guest_kernel *kernels = NULL;
	size_t count = 0;
	char found[160] = "";
	qemu = qemu && *qemu ? qemu : "qemu-system-x86_64";
	bool have_qemu = strchr(qemu, '/') ? access(qemu, X_OK) == 0 : machine_on_path(qemu, path);
	say(d, have_qemu ? OK : LESS, "QEMU", have_qemu ? qemu : "not found",
	    have_qemu ? "" : "for machine-wide failures: apt install qemu-system-x86");
	auto_free char *ignored = NULL;
	size_t size;
	auto_fclose FILE *silent = open_memstream(&ignored, &size);
	if (silent && guest_kernels_find("all", silent, &kernels, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		(void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
			       kernels[i].name);
	free(kernels);
	say(d, count ? OK : LESS, "guest kernels", count ? found : "none",
	    count ? "" : "for machine-wide failures: ci/kernels 6.1");
	bool kvm = access("/dev/kvm", R_OK | W_OK) == 0;
	say(d, OK, "KVM",
	    kvm ? "/dev/kvm opens; the first guest shows whether it works" : "not here: guests are emulated", "");
}

static int cmd_doctor_main(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = {"STATE", "WHAT", "FOUND", "ADVICE", NULL};
	static struct machine machine;
	struct doctor d = {.machine = &machine, .table = table_new(columns)};
	char found[160];
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		}
		return EXIT_USAGE;
	}
	int r = machine_probe(false, &machine);
	if (r < 0 || !d.table) {
		(void)say_error(r, "/proc: cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_BROKEN;
	}
	(void)snprintf(found, sizeof(found), "%s", machine.kernel_release);
	bool recent = machine.kernel_major > 5 || (machine.kernel_major == 5 && machine.kernel_minor >= 10);
	say(&d, recent ? OK : NO, "kernel", found, recent ? "" : "5.10 or newer is needed");
	check_identity(&d);
	check_witness(&d);
	say(&d, strcmp(cgroup_system_name(&machine.cgroup), "none") ? OK : LESS, "cgroups",
	    cgroup_system_name(&machine.cgroup), "");
	check_controller(&d, CGROUP_MEMORY);
	check_controller(&d, CGROUP_PIDS);
	check_sysctls(&d);
	check_guests(&d);
	int left = leftovers_report(true, stderr);
	say(&d, left == 0 ? OK : LESS, "left-overs", left == 0 ? "none" : "a killed run left something behind",
	    left == 0 ? "" : "enomem recover");
	if (table_print(d.table) < 0)
		return EXIT_BROKEN;
	tell_delegation(&machine);
	puts(d.worst == OK     ? "\nEverything can run here, or in a guest."
	     : d.worst == LESS ? "\nMost can run here; `enomem list` tells which scenarios cannot."
			       : "\nSomething essential is missing.");
	return say_finish(d.worst == NO ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.arguments = "",
	.examples = "  enomem doctor\n",
	.blurb = "Tell what this machine supports and what to change to run more.",
	.options = options,
	.run = cmd_doctor_main,
};
