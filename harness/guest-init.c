// SPDX-License-Identifier: MIT
/*
 * Init of a guest: what a machine needs to be one, and the process that does the work. See guest-init.h.
 */
#include "guest-init.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/major.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>

#include "cleanup.h"
#include "guest-port.h"
#include "guest-wire.h"

#define WIRE_DEVICE "/dev/ttyS1"
#define WIRE_MINOR  65

bool guest_is_init(int argc, char **argv)
{
	return argc > 0 && getpid() == 1 && strcmp(argv[0], "/init") == 0;
}

/* What was brought there is not to be hidden; the root is in memory as well. */
static bool holds_something(const char *directory)
{
	auto_closedir DIR *d = opendir(directory);
	for (struct dirent *entry; d && (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return true;
	return false;
}

static void mount_all(void)
{
	static const struct {
		const char *type, *at;
	} file_system[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"},
			   {"tmpfs", "/run"}, {"tmpfs", "/tmp"}, {"tmpfs", "/dev/shm"}};
	(void)mkdir("/mnt", 0755); /* for stage_disguise(), as on any other machine */
	for (size_t i = 0; i < ARRAY_SIZE(file_system); i++) {
		(void)mkdir(file_system[i].at, 0755);
		if (strcmp(file_system[i].type, "tmpfs") == 0 && holds_something(file_system[i].at))
			continue;
		if (mount(file_system[i].type, file_system[i].at, file_system[i].type, 0, NULL) < 0 && errno != EBUSY)
			fprintf(stderr, "enomem: %s: cannot be mounted (%s)\n", file_system[i].at,
				strerrorname_np(errno));
	}
}

/* In the order the kernel's package gives, dependencies first; one that is built in is no loss. The first one that the
 * kernel refuses is told in `why`. */
static void load_modules(char *why, size_t size)
{
	char line[256], path[300];
	why[0] = '\0';
	auto_fclose FILE *order = fopen("/modules/order", "re");
	while (order && fgets(line, sizeof(line), order)) {
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(path, sizeof(path), "/modules/%s", line);
		auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST)
			continue;
		int error = errno;
		fprintf(stderr, "enomem: module %s: not loaded (%s)\n", line, strerrorname_np(error));
		if (!why[0])
			(void)snprintf(why, size, "; %.100s is refused (%s)", line, strerrorname_np(error));
	}
}

/* With no filter to read it is a bad address where there are filters. */
static bool has_seccomp_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == 0 || errno == EFAULT;
}

/* What no run can do without, as text; "" when all is there. What else a kernel lacks, scenarios are skipped for. */
static void find_lacks(char *ret, size_t size)
{
	static const struct {
		const char *within, *path, *what;
	} needed[] = {{"/", "/proc/self", "procfs (CONFIG_PROC_FS=y)"},
		      {"/", "/sys/kernel", "sysfs (CONFIG_SYSFS=y)"},
		      {"/", "/dev/null", "devtmpfs (CONFIG_DEVTMPFS=y)"},
		      {"/sys/kernel", "/sys/bus/pci/drivers/virtio-pci", "virtio_pci (CONFIG_VIRTIO_PCI=y)"},
		      {"/sys/kernel", "/sys/bus/virtio/drivers/virtio_blk", "virtio_blk (CONFIG_VIRTIO_BLK=y)"}};
	size_t used = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(needed) && used < size; i++)
		if (access(needed[i].within, F_OK) == 0 && access(needed[i].path, F_OK) < 0)
			used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? ", " : "", needed[i].what);
	if (!has_seccomp_filters() && used < size)
		(void)snprintf(ret + used, size - used, "%sseccomp filters (CONFIG_SECCOMP_FILTER=y)",
			       used ? ", " : "");
}

static int open_wire(void)
{
	struct termios t;
	/* Without devtmpfs nobody else makes it; its number is in the kernel's devices.txt. */
	(void)mknod(WIRE_DEVICE, S_IFCHR | 0600, makedev(TTY_MAJOR, WIRE_MINOR));
	int fd = open(WIRE_DEVICE, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Nobody else's: what a program wrote there would be taken for the harness's word. */
	(void)ioctl(fd, TIOCEXCL);
	(void)unlink(WIRE_DEVICE);
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		(void)cfsetspeed(&t, B115200);
		(void)tcsetattr(fd, TCSANOW, &t);
	}
	wire_send_by(fd, guest_port_write);
	return fd;
}

/* What the kernel lacks it will lack at the next boot as well; anything else may have been bad luck. */
static void say_failed(int wire, const char *message, bool lacks)
{
	json_auto_t *failed = json_pack("{s:s}", "message", message);
	if (lacks)
		(void)json_object_set_new(failed, "lacks", json_true());
	auto_free char *text = json_dumps(failed, JSON_COMPACT);
	if (text)
		(void)wire_send(wire, WIRE_FAILED, text, strlen(text));
}

/*
 * The agent is a process of its own: should it be killed, init is still there to say so. It is started before the state
 * is saved, since a restored guest would pay for that each time.
 */
static void run_agent(int wire)
{
	char message[128];
	int status = 0;
	pid_t agent = fork();
	if (agent == 0) {
		int code = guest_agent(wire);
		(void)fflush(NULL);
		_exit(code);
	}
	/* Whatever loses its parent becomes ours. */
	for (pid_t pid; agent > 0 && (pid = wait(&status)) != agent;)
		if (pid < 0 && errno != EINTR)
			break;
	if (agent > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (agent > 0 && WIFSIGNALED(status))
		(void)snprintf(message, sizeof(message), "the harness in the guest was killed by SIG%s",
			       sigabbrev_np(WTERMSIG(status)));
	else
		(void)snprintf(message, sizeof(message), "the harness in the guest ended with status %d",
			       agent > 0 ? WEXITSTATUS(status) : -1);
	say_failed(wire, message, false);
}

/* Told once, instead of by every run. */
static bool has_all(int wire, const char *refused)
{
	char lacks[400], message[800];
	struct utsname name = {0};
	find_lacks(lacks, sizeof(lacks));
	if (!lacks[0])
		return true;
	(void)uname(&name);
	(void)snprintf(message, sizeof(message), "Linux %s has no %s, built in or loaded%s", name.release, lacks,
		       refused);
	say_failed(wire, message, true);
	return false;
}

void guest_init(void)
{
	char refused[160];
	(void)setenv("PATH", "/usr/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)setenv("LC_ALL", "C", 1);
	mount_all();
	load_modules(refused, sizeof(refused));
	int wire = open_wire();
	if (wire < 0) {
		fprintf(stderr, "enomem: %s: no wire to the harness (%s)\n", WIRE_DEVICE, strerrorname_np(-wire));
	} else {
		if (has_all(wire, refused))
			run_agent(wire);
		(void)tcdrain(wire);
	}
	/* QEMU was told not to boot again: it ends. */
	(void)reboot(RB_AUTOBOOT);
	for (;;)
		(void)pause();
}
