// SPDX-License-Identifier: MIT
/*
 * All addresses a 32-bit program has: 4 GiB, less two pages, whatever the machine's memory. It makes its calls itself,
 * with no C library, so that no 32-bit one need be there; built for 64 bits it is the same program with 128 TiB.
 */
enum { PAGE_BYTES = 4096, ENOMEM_NUMBER = 12, PROT_NOTHING = 0, MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022 };
#ifdef __i386__
enum { NR_WRITE = 4, NR_EXIT = 1, NR_EXECVE = 11, NR_MUNMAP = 91 };
/* The stack as the kernel leaves it, argc on top, as the argument. */
__asm__(".globl _start\n_start: mov %esp, %eax\n\tand $-16, %esp\n\tsub $12, %esp\n\tpush %eax\n\tcall begin\n");
#else
enum { NR_WRITE = 1, NR_EXIT = 60, NR_EXECVE = 59, NR_MUNMAP = 11, NR_MMAP = 9 };
__asm__(".globl _start\n_start: mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#endif
void begin(long *stack);

static long call(long nr, long a, long b, long c)
{
	long result;
#ifdef __i386__
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
#else
	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#endif
	return result;
}

/* mmap2() of the 32-bit entry, which a 64-bit program may use as well: the address, or an errno below zero. */
static long reserve_low(unsigned long bytes)
{
	long result;
#ifdef __i386__
	/* Its sixth argument is 0 pages: ebp, which the compiler needs for itself. */
	__asm__ volatile("push %%ebp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%ebp"
			 : "=a"(result)
			 : "a"(192), "b"(0), "c"(bytes), "d"(PROT_NOTHING), "S"(MAP_PRIVATE_ANONYMOUS_NORESERVE),
			   "D"(-1)
			 : "memory");
	return result;
#else
	__asm__ volatile("push %%rbp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(result)
			 : "a"(192), "b"(0), "c"(bytes), "d"(PROT_NOTHING), "S"(MAP_PRIVATE_ANONYMOUS_NORESERVE),
			   "D"(-1)
			 : "r8", "r9", "r10", "r11", "memory");
	return (unsigned)result > -4096U ? (int)result : result;
#endif
}

static long reserve(unsigned long bytes, int low)
{
#ifdef __x86_64__
	register long flags __asm__("r10") = MAP_PRIVATE_ANONYMOUS_NORESERVE, fd __asm__("r8") = -1;
	register long offset __asm__("r9") = 0;
	long result;
	if (!low) {
		__asm__ volatile("syscall"
				 : "=a"(result)
				 : "a"(NR_MMAP), "D"(0), "S"(bytes), "d"(PROT_NOTHING), "r"(flags), "r"(fd), "r"(offset)
				 : "rcx", "r11", "memory");
		return result;
	}
#endif
	(void)low;
	return reserve_low(bytes);
}

static int is_error(long result)
{
	return (unsigned long)result > -(unsigned long)PAGE_BYTES;
}

static void say(const char *text)
{
	long length = 0;
	while (text[length])
		length++;
	call(NR_WRITE, 1, (long)text, length);
}

static _Noreturn void end(int status)
{
	for (;;)
		call(NR_EXIT, status, 0, 0);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static unsigned long number(const char *text)
{
	unsigned long n = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (unsigned long)(*text - '0');
	return *text ? 0 : n;
}

/* As perror() would. */
static void tell(const char *what, long error)
{
	say(what);
	say(error == -ENOMEM_NUMBER ? ": Cannot allocate memory\n" : ": refused for another reason\n");
}

void begin(long *stack)
{
	char **argv = (char **)(stack + 1), **environment = argv + stack[0] + 1;
	unsigned long bytes = 0, times = 0;
	int release = 0, low = 0;
	long last = 0;

	for (char **arg = argv + 1; *arg; arg++) {
		if (same(*arg, "--release"))
			release = 1;
		else if (same(*arg, "--int80"))
			low = 1;
		else if (same(*arg, "--bytes") && arg[1])
			bytes = number(*++arg);
		else if (same(*arg, "--times") && arg[1])
			times = number(*++arg);
		else if (same(*arg, "--64bit") && sizeof(long) == 4)
			tell("execve", call(NR_EXECVE, (long)"./wide-64bit", (long)argv, (long)environment));
		else if (!same(*arg, "--64bit"))
			bytes = times = 0, arg[1] = 0;
	}
	if (bytes == 0 || times == 0) {
		say("usage: address-space-32bit --bytes N --times N [--release] [--64bit [--int80]]\n");
		end(2);
	}
	for (unsigned long i = 0; i < times; i++) {
		long p = reserve(bytes, low);
		if (is_error(p)) {
			tell("mmap", p);
			if (!release || !last)
				end(1);
			call(NR_MUNMAP, last, (long)bytes, 0);
			say("gave back the last one, asking again\n");
			p = reserve(bytes, low);
			if (is_error(p))
				end(1);
		}
		last = p;
	}
	say("granted\n");
	end(0);
}
