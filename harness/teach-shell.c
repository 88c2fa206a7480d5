// SPDX-License-Identifier: MIT
/*
 * Between the learner's terminal and that of the shell: what is typed and written goes through, and what the shell's
 * functions ask is answered. See teach-fix.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold-tool.h"
#include "say.h"
#include "teach-guest.h"
#include "teach-session.h"

#define TICK_MS     50
#define GROUP_TRIES 40

static volatile sig_atomic_t resized, ended;

static void on_signal(int signal)
{
	if (signal == SIGWINCH)
		resized = 1;
	else
		ended = signal;
}

/* --- the terminal ------------------------------------------------------------------------------------------------ */

void session_put(struct session *s, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, text, length);
		if (n < 0 && errno == EINTR && !ended)
			continue;
		if (n <= 0) {
			s->gone = true;
			return;
		}
		text += n;
		length -= (size_t)n;
	}
}

/* The terminal is raw: a line's end is not made of its feed. */
void session_put_lines(struct session *s, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		session_put(s, text[i] == '\n' ? "\r\n" : &text[i], text[i] == '\n' ? 2 : 1);
}

void session_say(struct session *s, const char *format, ...)
{
	char text[2 * TEACH_TOLD];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	session_put_lines(s, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void copy_size(const struct session *s)
{
	struct winsize window;
	resized = 0;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) == 0)
		(void)ioctl(s->master, TIOCSWINSZ, &window);
}

/* --- going through ----------------------------------------------------------------------------------------------- */

void session_take_typed(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->typed, sizeof(s->typed));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	s->gone |= n <= 0;
	s->typed_at = 0;
	s->typed_length = n > 0 ? (size_t)n : 0;
}

static void pass_typed(struct session *s)
{
	ssize_t n = write(s->master, s->typed + s->typed_at, s->typed_length - s->typed_at);
	if (n > 0)
		s->typed_at += (size_t)n;
	if (s->typed_at == s->typed_length || (n < 0 && errno != EAGAIN && errno != EINTR))
		s->typed_at = s->typed_length = 0;
}

/* false: there is nobody at the other end any more */
static bool pass_written(struct session *s)
{
	char text[8192];
	ssize_t n = read(s->master, text, sizeof(text));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	session_put(s, text, (size_t)n);
	return true;
}

bool session_is_over(const struct session *s)
{
	return s->gone || ended;
}

bool session_was_resized(void)
{
	const bool was = resized;
	resized = 0;
	return was;
}

static void relay(struct session *s)
{
	bool there = true;
	copy_size(s);
	while (!session_is_over(s)) {
		struct pollfd fds[] = {
			{.fd = s->typed_length ? -1 : STDIN_FILENO, .events = POLLIN},
			{.fd = there ? s->master : -1, .events = (short)(POLLIN | (s->typed_length ? POLLOUT : 0))},
			{.fd = s->check ? -1 : s->ask_fd, .events = POLLIN},
			{.fd = s->check_fd, .events = POLLIN},
			{.fd = s->place_fd, .events = POLLIN}};
		if (poll(fds, ARRAY_SIZE(fds), s->owed.count ? TICK_MS : -1) < 0 && errno != EINTR)
			return;
		if (resized)
			copy_size(s);
		if (fds[0].revents)
			session_take_typed(s);
		if (fds[1].revents & POLLOUT)
			pass_typed(s);
		if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			there = pass_written(s);
		if (fds[3].revents)
			session_end_check(s);
		if (fds[2].revents || fds[3].revents)
			session_hear(s);
		owed_say(&s->owed, s->desk.directory_fd);
		if (fds[4].revents) {
			while (there && pass_written(s) && poll(&fds[1], 1, 0) == 1)
				;
			return;
		}
	}
}

/* --- the whole of it --------------------------------------------------------------------------------------------- */

static int open_pair(struct session *s)
{
	char name[64];
	s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (s->master < 0 || grantpt(s->master) < 0 || unlockpt(s->master) < 0 ||
	    ptsname_r(s->master, name, sizeof(name)) != 0)
		return -errno;
	s->desk.terminal_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->desk.terminal_fd < 0)
		return -errno;
	(void)tcsetattr(s->desk.terminal_fd, TCSANOW, &s->desk.before);
	return 0;
}

static int start_place(struct session *s)
{
	const pid_t self = getpid();
	(void)fflush(NULL);
	s->place = fork();
	if (s->place == 0) {
		(void)close(s->master);
		(void)close(s->ask_fd);
		fix_keep_place(&s->desk, self);
	}
	if (s->place < 0)
		return -errno;
	(void)close(s->desk.terminal_fd);
	s->desk.terminal_fd = -1;
	s->place_fd = (int)syscall(SYS_pidfd_open, s->place, 0);
	return s->place_fd < 0 ? -errno : 0;
}

static void end_children(struct session *s)
{
	if (s->check > 0) {
		(void)kill(s->check, SIGKILL);
		(void)waitpid(s->check, NULL, 0);
	}
	fix_thaw(&s->frozen);
	if (s->place > 0) {
		(void)kill(s->place, SIGTERM);
		while (waitpid(s->place, &s->place_status, 0) < 0 && errno == EINTR)
			;
	}
	if (s->desk.directory_fd >= 0) /* where the keeper was killed */
		hold_remove_directory(s->desk.directory_fd, s->desk.directory);
}

void session_run(struct session *s, void (*relay_it)(struct session *s))
{
	static const int heeded[] = {SIGWINCH, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction before[ARRAY_SIZE(heeded)];
	const struct sigaction action = {.sa_handler = on_signal};
	struct termios raw = s->desk.before;
	ended = 0;
	for (size_t i = 0; i < ARRAY_SIZE(heeded); i++)
		(void)sigaction(heeded[i], &action, &before[i]);
	cfmakeraw(&raw);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	relay_it(s);
	end_children(s);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->desk.before);
	for (size_t i = 0; i < ARRAY_SIZE(heeded); i++)
		(void)sigaction(heeded[i], &before[i], NULL);
	if (ended)
		(void)raise(ended);
}

static void remove_group(const char *group)
{
	char path[sizeof(((struct run_place *)NULL)->group[0])];
	(void)snprintf(path, sizeof(path), "%s", group);
	for (unsigned levels = 0; levels < 2 && *path; levels++) {
		char *slash = strrchr(path, '/');
		for (unsigned i = 0; rmdir(path) < 0 && errno == EBUSY && i < GROUP_TRIES; i++)
			(void)usleep(TICK_MS * 1000);
		*slash = '\0';
		if (strncmp(strrchr(path, '/') ? strrchr(path, '/') : "", "/enomem-", 8) != 0)
			*path = '\0';
	}
}

/* The keeper of the place would have done it. Its processes went with their init. */
static void remove_groups(const struct fix_room *room)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		remove_group(room->place.group[c]);
		remove_group(room->own_group[c]);
	}
}

/* Why it ended, where that was not the learner's wish. */
static int tell_end(const struct session *s)
{
	const struct fix_room *room = s->desk.room;
	if (room->late)
		puts("\n  The shell's time is over (--deadline).");
	if (room->ceiling)
		puts("\n  The shell was ended: it ran into the ceiling that every run here has.");
	if (WIFSIGNALED(s->place_status)) {
		printf("\n  The shell was ended: what keeps its place was killed (%s).\n",
		       sigabbrev_np(WTERMSIG(s->place_status)));
		remove_groups(room);
	}
	if (s->gone)
		return -EINTR;
	if (room->ready && *room->problem && !room->late && !room->ceiling)
		printf("\n  The shell was ended: %s.\n", room->problem);
	if (room->ready)
		return 0;
	(void)say_error(0, "there is no shell: %s", *room->problem ? room->problem : "its place could not be made");
	return -ENOENT;
}

static int with_desk(struct session *s, bool *ret_solved)
{
	char shell[PATH_MAX + 128], *argv[5];
	char asking[sizeof(s->desk.directory) + 8];
	int r = fix_make_desk(&s->desk);
	if (r < 0)
		return say_error(r, "/tmp: what the shell reads cannot be put there");
	if (fix_choose_shell(s->desk.directory, argv, shell, sizeof(shell)) < 0) {
		end_children(s);
		return 0; /* it was told, and the question is asked again */
	}
	(void)snprintf(asking, sizeof(asking), "%s/ask", s->desk.directory);
	s->desk.argv = argv;
	s->ask_fd = r == 0 ? open(asking, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
	if (r == 0 && s->ask_fd < 0)
		r = say_error(-errno, "%s", asking);
	if (r == 0) {
		r = open_pair(s);
		r = r == 0 ? start_place(s) : r;
		if (r < 0)
			(void)say_error(r, "there is no terminal, or no process, for a shell");
	}
	if (r < 0) {
		end_children(s);
		return r;
	}
	session_run(s, relay);
	*ret_solved = s->solved;
	return tell_end(s);
}

int fix_shell(struct teaching *t, const struct teach_fix *fix, bool *ret_solved)
{
	if (t->quiz.guests)
		return fix_guest_shell(t, fix, ret_solved);
	struct fix_room *room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct session s = {.teaching = t, .master = -1, .ask_fd = -1, .place_fd = -1, .check_fd = -1};
	if (room == MAP_FAILED)
		return say_error(-errno, "no memory for a shell");
	s.desk = (struct fix_desk){.world = t->world,
				   .quiz = &t->quiz,
				   .fix = fix,
				   .room = room,
				   .beside = fix->beside,
				   .remounts = fix->remounts,
				   .deadline_ns = t->shell_ns,
				   .directory_fd = -1,
				   .terminal_fd = -1};
	s.desk.own_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int r = s.desk.own_fd < 0 || tcgetattr(STDIN_FILENO, &s.desk.before) < 0 ? -errno : 0;
	r = r < 0 ? say_error(r, "the terminal") : with_desk(&s, ret_solved);
	const int fds[] = {s.master,           s.ask_fd,     s.place_fd, s.check_fd, s.desk.directory_fd,
			   s.desk.terminal_fd, s.desk.own_fd};
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	(void)munmap(room, sizeof(*room));
	return r;
}
