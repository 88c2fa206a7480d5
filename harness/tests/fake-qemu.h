// SPDX-License-Identifier: MIT
/*
 * A QEMU of the tests' own: the test program itself, started in its place. It plays a guest by a script, one per start
 * (FAKE_GUEST, separated by '|', the last one again and again), and counts its starts in a file (FAKE_STARTS).
 *
 *   r ready   j take the job   m machine   sX run X starts   eX its evidence   d done   f failed   w answer the monitor
 *   F its scenario failed   M a machine cut short   X a machine of garbage   EX evidence that says nothing   g garbage
 * t half a frame p panic on the console   c garbage on the console   h hang   x exit with 1, saying why   k die of
 * SIGKILL n monitor that refuses W answer the monitor until it is told to go on L its kernel lacks something
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-wire.h"
#include "plan.h"

static struct {
	int wire, monitor, console;
	struct wire_reader reader;
} fake;

static inline bool is_fake_qemu(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "-nodefaults") == 0;
}

static int fake_number(char **argv, const char *id, const char *key)
{
	for (; *argv; argv++) {
		const char *at = strstr(*argv, id) ? strstr(*argv, key) : NULL;
		if (at)
			return atoi(at + strlen(key));
	}
	return -1;
}

static unsigned fake_starts(void)
{
	char text[16] = "";
	FILE *f = fopen(getenv("FAKE_STARTS"), "re");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		(void)fclose(f);
	}
	return (unsigned)atoi(text);
}

static const char *fake_script(void)
{
	unsigned before = fake_starts();
	const char *script = getenv("FAKE_GUEST");
	FILE *f = fopen(getenv("FAKE_STARTS"), "we");
	if (f) {
		fprintf(f, "%u", before + 1);
		(void)fclose(f);
	}
	for (const char *bar; before > 0 && (bar = strchr(script, '|')); before--)
		script = bar + 1;
	return script;
}

/* What the monitor is asked to do comes with a descriptor for the devices; it is asked how far that is after it. */
static void fake_monitor(bool refuses, bool goes_on)
{
	char text[512], control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	const char *answer =
		refuses ? "{\"error\": {\"desc\": \"no\"}}\n" : "{\"return\": {\"status\": \"completed\"}}\n";
	for (;;) {
		struct iovec part = {text, sizeof(text) - 1};
		struct msghdr m = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(fake.monitor, &m, 0);
		if (n <= 0)
			_exit(0);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		int fd = -1;
		if (c)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (fd >= 0 && write(fd, "devices", 7) != 7)
			_exit(1);
		text[n] = '\0';
		if (strstr(text, "query-migrate") && write(fake.monitor, answer, strlen(answer)) < 0)
			_exit(1);
		if (goes_on && strstr(text, "\"cont\""))
			return;
	}
}

/* A JSON text in which '*' stands for the run. */
static void fake_say(enum wire_type type, const char *pattern, char name)
{
	char text[512];
	size_t length = strlen(pattern);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(pattern[i] == '*' ? name : pattern[i]);
	(void)wire_send(fake.wire, type, text, length);
}

static void fake_machine(size_t length, int fill)
{
	static struct machine m = {.kernel_release = "6.1.0-fake", .page_size = 4096};
	if (fill)
		memset(&m, fill, sizeof(m));
	(void)wire_send(fake.wire, WIRE_MACHINE, &m, length);
}

static void fake_write(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static void fake_end(char how)
{
	switch (how) {
	case 'k':
		(void)raise(SIGKILL);
		break;
	case 'h':
		for (;;)
			(void)pause();
	case 'w':
	case 'n':
		fake_monitor(how == 'n', false);
		break;
	default:
		fake_write(STDERR_FILENO, "fake QEMU gave up\nand more\n");
		_exit(1);
	}
}

static void fake_step(const char *step)
{
	static const char evidence[] =
		"[\"s\",{\"name\":\"*\",\"role\":\"control\",\"verdict\":\"pass\",\"was\":\"*\"}]";
	struct wire_frame frame;
	switch (*step) {
	case 'r':
		fake_say(WIRE_READY, "{}", 0);
		break;
	case 'j':
		if (wire_receive(fake.wire, &fake.reader, &frame) < 0)
			_exit(1);
		free(frame.data);
		break;
	case 'm':
	case 'M':
		fake_machine(sizeof(struct machine) - (*step == 'M'), 0);
		break;
	case 'X':
		fake_machine(sizeof(struct machine), 0xff);
		break;
	case 's':
		fake_say(WIRE_STARTED, "[\"s\",\"*\"]", step[1]);
		break;
	case 'e':
		fake_say(WIRE_RUN, evidence, step[1]);
		break;
	case 'E':
		fake_say(WIRE_RUN, "[\"s\",{\"name\":\"*\"}]", step[1]);
		break;
	case 'd':
		(void)wire_send(fake.wire, WIRE_DONE, NULL, 0);
		break;
	case 'f':
		fake_say(WIRE_FAILED, "{\"message\":\"it cannot be\"}", 0);
		break;
	case 'L':
		fake_say(WIRE_FAILED, "{\"message\":\"it has no disk\",\"lacks\":true}", 0);
		break;
	case 'F':
		fake_say(WIRE_FAILED, "{\"message\":\"it cannot be\",\"scenario\":\"s\"}", 0);
		break;
	case 'g':
		fake_write(fake.wire, "this is no frame, it is a text of some length");
		break;
	case 't':
		fake_write(fake.wire, "Enom\5");
		break;
	case 'p':
		fake_write(fake.console, "before\r\nKernel panic - not syncing: a reason\r\nafter\r\n");
		break;
	case 'W':
		fake_monitor(false, true);
		break;
	case 'c':
		(void)!write(fake.console, "\0\xff\0\x1b[", 5);
		break;
	default:
		fake_end(*step);
	}
}

static inline int play_fake_qemu(char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	fake.wire = fake_number(argv, "id=wire", "fd=");
	fake.monitor = fake_number(argv, "id=monitor", "fd=");
	fake.console = fake_number(argv, "id=console", "path=/proc/self/fd/");
	/* Like the real one: our own offset, always at the end. */
	(void)fcntl(fake.console, F_SETFL, O_APPEND);
	for (const char *step = fake_script(); *step && *step != '|'; step++) {
		fake_step(step);
		if (strchr("seE", *step))
			step++;
	}
	return 0;
}

/* Play this from the next start on. Only where something hangs is it to be noticed soon: a busy machine is slow. */
static inline void fake_plays(const char *script)
{
	(void)setenv("FAKE_GUEST", script, 1);
	(void)setenv("ENOMEM_GUEST_TIMEOUT_MS", strchr(script, 'h') ? "700" : "30000", 1);
	(void)unlink(getenv("FAKE_STARTS"));
}

static inline void fake_prepare(const char *starts)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	(void)setenv("ENOMEM_QEMU", self, 1);
	(void)setenv("FAKE_STARTS", starts, 1);
	(void)signal(SIGPIPE, SIG_IGN);
}

#define assert_no_child()                                                                                              \
	do {                                                                                                           \
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);                                                      \
		assert_int_equal(errno, ECHILD);                                                                       \
	} while (0)
