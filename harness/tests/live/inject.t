#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells below
# Calls are refused in the kernel's place, to programs that look whether it is as if the kernel had done it: a brk that returns
# the old break, a munmap that leaves its mapping, a fork without child. Where other injectors lie these programs say 9.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 # a locale is a part of what sweeps of our own commands take away

root() { [ "$(id -u)" -eq 0 ]; }
victim=$work/victim
cc -O1 -pthread -D_GNU_SOURCE -o "$victim" "$live/victim.c" || { echo "Bail out! victim.c cannot be compiled"; exit 1; }
cc -O1 -pthread -D_GNU_SOURCE -static -s -o "$work/victim-static" "$live/victim.c" || rm -f "$work/victim-static"
cc -O1 -pthread -D_GNU_SOURCE -no-pie -s -o "$work/victim-fixed" "$live/victim.c" || rm -f "$work/victim-fixed"

# inject SPEC COMMAND...: its summary in $json, its streams in $work/out and $errors, its status in $code
inject()
{
	local spec=$1
	shift
	rm -f "$json"
	marked timeout 20 "$enomem" inject "${from[@]}" -j -o "$json" "$spec" -- "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
}
from=()
tell_injected() { diag "exit status $code" "$(head -c 400 "$errors")" "$(head -c 1500 "$json" 2>/dev/null)"; }
injected() # what, "status fired calls"
{
	is "$1" "$code $(get '"\(.fired) \([.injected[].call] | unique | join(","))"')" "$2" || tell_injected
}

# --- as the kernel does it ---
for program in "$victim" "$work/victim-static" "$work/victim-fixed"; do
	[ -x "$program" ] || { skip_test "${program##*/}" "it cannot be linked here"; continue; }
	name=${program##*/}
	for kind in brk shrink munmap mprotect mremap fork child thread spawn clean; do
		ok "$name $kind: bare, nothing is refused" "$program" "$kind"
	done
	inject 'brk:size>=1M' "$program" brk
	injected "$name: a refused brk returns the old break" "1 2 brk"
	inject 'brk:size>=1M:when=1' "$program" brk
	injected "$name: a brk refused once" "1 1 brk"
	inject 'brk:size>=1M:when=2+' "$program" shrink
	injected "$name: a brk that gives back is let through" "0 0 "
	inject 'brk:size>=1M:when=2' "$program" child
	injected "$name: the break of a forked child" "1 1 brk"
	inject munmap:when=1+ "$program" munmap
	is "$name: a refused munmap leaves its mapping" "$code $(get '[.injected[].call] | unique | join(",")')" "1 munmap" || tell_injected
	inject 'mprotect:size>=512K' "$program" mprotect
	is "$name: a refused mprotect leaves the rights" "$code $(get '[.injected[].call] | unique | join(",")')" "1 mprotect" || tell_injected
	inject mremap "$program" mremap
	injected "$name: a refused mremap leaves the area" "1 1 mremap"
	inject process:EAGAIN "$program" fork
	like "$name: a refused fork has no child" "$code $(get '"\(.fired) \(.injected[0].call) \(.injected[0].errno)"')" '^1 1 (clone|clone3|fork) EAGAIN$'
	inject process:EAGAIN "$program" thread
	like "$name: no thread" "$code $(get '"\(.fired) \(.injected[0].call)"')" '^1 1 clone3?$'
	inject process:EAGAIN "$program" spawn
	like "$name: posix_spawn without a child" "$code $(get '"\(.fired) \(.injected[0].call) \(.injected[0].errno)"')" '^1 1 (clone3?|vfork) EAGAIN$'
	inject 'mmap:size>=1M' "$program" thread
	injected "$name: no stack for a thread, which pthread_create() calls EAGAIN" "1 1 mmap"
	inject 'mmap:size>=1M' "$program" clean
	injected "$name: from the entry" "1 1 mmap"
	is "$name: what was asked" "$(get '.injected[0] | "\(.asked) \(.number) \(.errno) \(.injected) \(.cause)"')" "1048576 1 ENOMEM true injected"
	like "$name: the program's own words stay" "$(cat "$errors")" '^mmap: Cannot allocate memory$'
	inject mmap:when=9999 "$program" true
	is "$name: its breakpoint is gone: status 2 as without" "$code" 2
done

# --- what asks for nothing, and what the kernel refuses for its arguments: as without, each by its errno ---
cat >"$work/nothing.c" <<'C'
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>
#define RW (PROT_READ | PROT_WRITE)
#define OURS (MAP_PRIVATE | MAP_ANONYMOUS)
static char page[2 * 4096] __attribute__((aligned(4096)));
static char line[128]; /* and no stdio, which asks for memory itself */
#define TELL(call) (errno = 0, (void)(call), (void)!write(1, line, sprintf(line, "%d: %s\n", errno, #call)))
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) { /* these ask, and are granted */
		TELL(mmap(0, 4096, RW, OURS, -1, 0));
		TELL(mprotect(page, 4096, PROT_READ));
		TELL(mprotect(page, 4096, PROT_NONE));
		TELL(munmap(page, 4096));
		TELL(mmap(0, 4096, RW, MAP_PRIVATE, 0, 0)); /* a device, which may refuse, but by another errno */
		return 0;
	}
	TELL(mlock(page, 0));
	TELL(syscall(SYS_mlock2, page, 0, 0));
	TELL(syscall(SYS_mlock2, page, 4096, 9));
	TELL(mlockall(0));
	TELL(mprotect(page, 0, RW));
	TELL(mprotect(page, 8192, RW)); /* as they are */
	TELL(munmap((void *)4096, 4096)); /* nothing is there */
	TELL(mprotect(page + 8, 4096, RW));
	TELL(mprotect(page, 4096, RW | 0x100));
	TELL(mremap(page, 4096, 4096, 0));
	TELL(mremap(page, 4096, 0, 0));
	TELL(mremap(page + 8, 4096, 8192, 0));
	TELL(mremap(page, 4096, 8192, 64));
	TELL(mmap(0, 0, RW, OURS, -1, 0));
	TELL(mmap(page + 8, 4096, RW, OURS | MAP_FIXED, -1, 0));
	TELL(mmap(0, 4096, RW, MAP_ANONYMOUS, -1, 0));
	TELL(mmap(0, 4096, RW, MAP_PRIVATE, -1, 0));
	TELL(mmap(0, 4096, RW, MAP_PRIVATE, 77, 0));
	TELL(mmap(0, 4096, RW, MAP_PRIVATE, 0, 8));
	TELL(munmap(page, 0));
	TELL(munmap(page + 8, 4096));
	TELL(shmget(IPC_PRIVATE, 0, 0600));
	TELL(shmat(-1, 0, 0));
	TELL(madvise(page, 4096, MADV_NORMAL));
	return 0;
}
C
if cc -w -D_GNU_SOURCE -o "$work/nothing" "$work/nothing.c"; then
	marked "$work/nothing" >"$work/bare" </dev/null
	inject memory:ENOMEM "$work/nothing"
	is "what asks for nothing: told as without" "$(diff "$work/bare" "$work/out")" "" || tell_injected
	is "what asks for nothing: none is counted" "$code $(wc -l <"$work/out") $(get '"\(.matched) \(.fired)"')" "0 24 0 0" || tell_injected
	like "what asks for nothing: the kernel answered" "$(sort "$work/bare" | cut -d: -f1 | uniq | paste -sd' ')" '^0 22 9$'
	inject memory:ENOMEM "$work/nothing" more
	is "what asks for something: each is refused" "$code $(cut -d: -f1 "$work/out" | uniq) $(get '"\(.matched) \(.fired)"')" "0 12 5 5" || tell_injected
else
	echo "Bail out! nothing.c cannot be compiled"
	exit 1
fi

# --- which calls are counted ---
inject mmap:when=1 "$victim" clean
injected "the loader's calls are not counted" "1 1 mmap"
from=(--from=exec)
inject mmap:when=1 "$victim" clean
is "from exec they are: the loader fails" "$([ "$code" -ne 0 ] && get '"\(.fired) \(.from) \(.injected[0].comm)"')" "1 exec victim" || tell_injected
like "from exec: the execve that starts the program is not ours to refuse" "$(inject execve:when=1 "$victim" clean; echo "$code" "$(get .matched)")" '^0 0$'
from=()
inject execve sh -c '/bin/true; exit 5'
is "an execve of the program is" "$code $(get '"\(.fired) \(.injected[0].call)"')" "5 1 execve" || tell_injected
inject process:when=2:EAGAIN true
is "a part in the wrong place is a mistake" "$code" 2
inject process:EAGAIN:when=2 sh -c '(:); (:); (:); exit 0'
is "the second of all processes" "$(get '"\(.fired) \(.injected[0].number)"')" "1 2" || tell_injected
inject mmap:when=100000 "$victim" clean
is "a fault that never comes: the program is as it is" "$code $(get '"\(.fired) \(.matched > 0)"')" "0 0 true"
inject 'mmap:size>=1M:when=2..8+3' sh -c 'for i in 1 2 3 4 5 6 7 8 9; do "$0" clean; done' "$victim"
is "when=2..8+3" "$(get '"\(.fired) \([.injected[].number] | join(" "))"')" "3 2 5 8" || tell_injected

# What a constructor asks for before main() is not main()'s: however it is linked, and where main() is in a library.
cat >"$work/early.c" <<'C'
#include <stdio.h>
#include <sys/mman.h>
static int map(void) { return mmap(0, 2 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED; }
static int early;
__attribute__((constructor)) static void before(void) { early = map(); }
int main(int argc, char **argv) { (void)argv; return early * 10 + (argc > 1 ? 0 : map()); }
C
ways=('' '-no-pie' '-static -s' '-static-pie -s' '-s' library)
for way in "${ways[@]}"; do
	early=$work/early seen="1 entry 2 1"
	if [ "$way" = library ]; then
		seen="0 entry 1 0" # the loader calls a library's constructors before the entry
		echo >"$work/empty.c"
		# shellcheck disable=SC2016
		cc -shared -fPIC -o "$work/libearly.so" "$work/early.c" && cc -o "$early" "$work/empty.c" "$work/libearly.so" -Wl,-rpath,"$work"
	else
		# shellcheck disable=SC2086
		cc $way -o "$early" "$work/early.c"
	fi 2>/dev/null || { skip_test "main() of early ($way)" "it cannot be linked here"; continue; }
	from=()
	inject 'mmap:size>=2M:when=1' "$early"
	is "early ($way): the first call from main()" "$code $(get '"\(.from) \(.matched) \(.fired)"')" "1 main 1 1" || tell_injected
	from=(--from=entry)
	inject 'mmap:size>=2M:when=2' "$early"
	is "early ($way): is the second one from the entry" "$code $(get '"\(.from) \(.matched) \(.fired)"')" "$seen" || tell_injected
	from=()
	inject 'mmap:size>=2M:when=1' sh -c '"$0"; echo $?' "$early"
	is "early ($way): also where another program executes it" "$(cat "$work/out") $(get '"\(.matched) \(.fired)"')" "1 1 1" || tell_injected
	inject 'mmap:size>=2M' "$early" none
	is "early ($way): nothing before main() is refused" "$code $(get .matched)" "0 0" || tell_injected
done
from=()

# A child that a constructor forks has begun, whether it ends there or comes to main() as well.
cat >"$work/forks.c" <<'C'
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static int map(void) { return mmap(0, 2 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED; }
static pid_t child;
static int status;
__attribute__((constructor)) static void before(void)
{
	child = fork();
	if (child == 0 && !getenv("ON"))
		_exit(map());
	if (child > 0)
		waitpid(child, &status, 0);
}
int main(void) { return child == 0 ? map() : WIFEXITED(status) ? WEXITSTATUS(status) : 9; }
C
cat >"$work/ends.c" <<'C'
#include <sys/mman.h>
#include <unistd.h>
__attribute__((constructor)) static void before(void)
{
	_exit(mmap(0, 2 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}
int main(void) { return 0; }
C
cc -o "$work/forks" "$work/forks.c" && cc -o "$work/ends" "$work/ends.c" || echo "Bail out! programs with constructors cannot be compiled"
inject 'mmap:size>=2M:when=1' "$work/forks"
is "a child forked by a constructor is refused, too" "$code $(get '"\(.matched) \(.fired) \(.began)"')" "1 1 1 true" || tell_injected
ON=1 inject 'mmap:size>=2M:when=1' "$work/forks"
is "and where it goes on to main()" "$code $(get '"\(.matched) \(.fired)"')" "1 1 1" || tell_injected
ON=1 inject 'mmap:size>=2M:when=9' "$work/forks"
is "there its breakpoint is gone" "$code $(get '"\(.matched) \(.fired)"')" "0 1 0" || tell_injected
inject 'mmap:size>=2M' "$work/ends"
is "one that ends before main(): nothing began" "$code $(get '"\(.matched) \(.fired) \(.began)"')" "0 0 0 false" || tell_injected
marked "$enomem" inject 'mmap:size>=2M' -- "$work/ends" 2>"$errors"
like "and what to ask for is told" "$(cat "$errors")" '--from=entry'
from=(--from=entry)
inject 'mmap:size>=2M' "$work/ends"
is "from the entry it began" "$code $(get '"\(.matched) \(.fired) \(.began)"')" "1 1 1 true" || tell_injected
from=()

# --- what became of it ---
inject 'mmap:size>=1M' "$victim" crash
is "a crash: the program's signal" "$code $(get '.program.end.signal')" "139 SIGSEGV"
inject 'mmap:size>=1M' sh -c '"$0" crash; exit 0' "$victim"
is "a child that crashes" "$code $(get '.deaths[] | "\(.comm) \(.signal)"')" "0 victim SIGSEGV" || tell_injected
inject 'mmap:size>=1M' "$victim" silent
injected "nobody looked" "0 1 mmap"
marked "$enomem" inject 'mmap:size>=1M' -- "$victim" clean 2>"$errors"
like "for people: injected, call, process, end" "$(tr '\n' '|' <"$errors")" \
	'^mmap: Cannot allocate memory\|enomem inject: .*victim: exit status 1; injected: 1 refusal, 1 call matches mmap:ENOMEM:size>=1048576 from main\(\)\|  injected: call 1 from main\(\): mmap refused with ENOMEM, asked for 1 MiB, in victim \(pid [0-9]+\)\|$'
marked "$enomem" inject mmap:when=9999 -- "$victim" clean 2>"$errors"
like "for people: nothing was injected" "$(cat "$errors")" '^enomem inject: .*: exit status 0; nothing was injected: [0-9]+ calls? match'
marked "$enomem" inject fork:EAGAIN -- bash -c '(exit 0); exit 0' 2>"$errors"
like "for people: fork() of the C library is another call: its name, with which it matches" "$(paste -sd'|' "$errors")" '0 calls match fork:EAGAIN from main\(\)\|  but it made tasks by clone, 1 call: clone:EAGAIN matches these, process:EAGAIN every such call and exec$'
marked "$enomem" inject clone:EAGAIN:when=9999 -- bash -c '(exit 0); exit 0' 2>"$errors"
unlike "for people: no such word where some matched" "$(cat "$errors")" 'but it made tasks'
marked "$enomem" inject mmap:when=9999 -- bash -c '(exit 0); exit 0' 2>"$errors"
unlike "for people: nor where no task was meant" "$(cat "$errors")" 'but it made tasks'
marked "$enomem" inject setsockopt -- true 2>"$errors"
like "for people: which setsockopt" "$(cat "$errors")" 'of setsockopt only SO_ATTACH_FILTER is counted'
marked "$enomem" inject -q 'mmap:size>=1M' -- "$victim" clean 2>"$errors"
is "--quiet" "$(cat "$errors")" "mmap: Cannot allocate memory"

# What --help shows works.
example=$("$enomem" inject --help | sed -n 's/^  enomem \(inject .*:EAGAIN -- make\) .*/\1/p')
if command -v make >/dev/null; then
	printf 'all:\n\techo built\n' >"$work/Makefile"
	# shellcheck disable=SC2086
	(cd "$work" && marked "$enomem" ${example:-no example}) >"$work/out" 2>"$errors"
	like "the example of --help: make has no process" "$? $(paste -sd'|' "$errors")" '^2 make: .*Resource temporarily unavailable.* refused with EAGAIN, in make '
else
	skip_test "the example of --help" "needs make: apt-get install make"
fi

# --- streams and signals ---
head -c 300000 /dev/urandom >"$work/binary"
marked "$enomem" inject -q mmap:when=9999 cat <"$work/binary" >"$work/copy"
ok "binary input and output arrive" cmp -s "$work/binary" "$work/copy"
marked timeout --preserve-status -s INT 1 "$enomem" inject -q mmap:when=9999 -- sh -c 'trap "exit 9" INT; while :; do sleep 0.05; done' 2>"$errors"
is "a signal to enomem reaches the program" "$?" 9
marked sh -c '"$0" inject -q brk -- sh -c "kill -TERM \$\$"' "$enomem" 2>/dev/null
is "its signal is the program's" "$?" 143

# --- must fail: were these programs lied to, they would say so ---
if command -v strace >/dev/null && marked strace -o /dev/null true 2>/dev/null; then
	marked strace -f -o /dev/null -e inject=brk:error=ENOMEM:when=4+ "$victim" brk
	isnt=$?
	ok "another injector's brk is told from a kernel's" test "$isnt" -ne 1
else
	skip_test "another injector" "no strace here"
fi

# --- what cannot be ---
exits() # what, status, message, options and operands...
{
	local what=$1 status=$2 message=$3
	shift 3
	marked timeout 20 "$enomem" inject "$@" >"$work/out" 2>"$errors" </dev/null
	is "$what: exit status" "$?" "$status"
	like "$what: it is said" "$(cat "$errors")" "$message"
}
exits "nothing" 2 'nothing to inject'
exits "no program" 2 'no program' mmap
exits "no program after --" 2 'no program' mmap --
exits "unknown call" 2 "did you mean 'mmap'" mmp true
exits "unknown errno" 2 "did you mean 'ENOMEM'" mmap:ENOMEN true
exits "an errno that it does not give" 2 'munmap gives ENOMEM' munmap:EAGAIN true
exits "unknown part" 2 "did you mean 'when='" mmap:wen=3 true
exits "unknown start" 2 'none of exec, entry and main' --from=start mmap true
exits "unknown option" 2 'no such option' --nonesuch mmap true
exits "unknown program" 127 'cannot be executed \(ENOENT\)' mmap no-such-program
exits "not executable" 126 'cannot be executed \(EACCES\)' mmap /etc/passwd
exits "output that cannot be written" 2 'cannot be written \(ENOENT\)' -o /no/such/file mmap sh -c "touch $work/was-run"
ok "output that cannot be written: nothing was run" test ! -e "$work/was-run"
exits "a full disk" 3 'did not arrive \(ENOSPC\)' -o /dev/full mmap:when=9999 true
if root; then
	mkdir "$work/house"
	cp "$enomem" "$victim" "$work/house/" && cp "$(command -v id)" "$work/house/id" && chmod 4755 "$work/house/id"
	chmod -R a+rX "$work/house"
	as_nobody() { marked setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	as_nobody "$work/house/enomem" inject 'mmap:size>=1M' "$work/house/victim" clean 2>"$errors"
	is "as nobody: the program's status" "$?" 1
	as_nobody "$work/house/enomem" inject mmap "$work/house/id" >"$work/out" 2>"$errors"
	is "a set-user-ID program: exit status" "$?" 2
	like "a set-user-ID program: it is said" "$(cat "$errors")" 'house/id: it is set-user-ID, which a program that is watched does not gain'
	cp "$victim" "$work/house/unread" && chmod 711 "$work/house/unread"
	for what in "inject mmap:when=1" sweep; do
		# shellcheck disable=SC2086 # words
		as_nobody "$work/house/enomem" $what -- "$work/house/unread" clean >"$work/out" 2>"$errors"
		like "$what: a program that cannot be read" "$? $(cat "$errors")" '^2 .*house/unread: may be executed and not read: nobody can tell where its main\(\) begins'
	done
fi

# --- sweeps ---
# In a pid namespace of their own: these programs are driven to do what nobody tried before.
make_untraced
has_sanitizer=$?
for how in clone clone3 constant; do
	inject 'mmap:size>=1M' "$untraced" "$how"
	injected "a task that nobody is to trace, by $how: its calls are refused" "2 1 mmap"
	is "a task that nobody is to trace, by $how: that is counted" "$(get '"\(.untraced) \(.unwatched)"')" "1 0"
done
inject 'mmap:size>=1M' "$untraced" 'out of reach'
is "one that nobody can trace: that is counted" "$code $(get '"\(.fired) \(.untraced) \(.unwatched)"')" "2 0 0 1" || tell_injected
marked timeout 20 "$enomem" inject mmap:when=999 -- "$untraced" clone 2>"$errors"
like "a task that nobody is to trace: for people" "$(sed -n 's/^note: //p' "$errors")" "$untraced_note"
if [ "$has_sanitizer" = 0 ]; then
	inject mmap:when=999 "$sanitized"
	is "LeakSanitizer: it says itself that it is traced" "$code $(grep -c 'LeakSanitizer does not work under ptrace' "$errors") $(get .untraced)" "1 1 1" || tell_injected
else
	skip_test "LeakSanitizer" "no program can be built with it here"
fi

apart=(unshare --pid --fork --mount-proc --kill-child)
"${apart[@]}" true 2>/dev/null || apart=(unshare --user --map-root-user "${apart[@]:1}")
if ! "${apart[@]}" true 2>/dev/null; then
	skip_test "sweeps" "no pid namespace can be made here"
	finish
fi
sweep() # options and command: its report in $json, its messages in $errors, its status in $code
{
	marked timeout 120 "${apart[@]}" "$enomem" sweep -j "$@" >"$json" 2>"$errors"
	code=$?
}
tell_sweep() { diag "exit status $code, stderr: $(head -c 400 "$errors")" "$(jq -c '.outcomes, .findings[]' "$json" 2>/dev/null | head -n 20)"; }
found() # what, "status kinds-of-findings"
{
	is "$1" "$code $(get '[.findings[].outcome] | unique | join(",")')" "$2" || tell_sweep
	is "$1: to the end" "$(get '(.outcomes | add) == .runs and .complete')" true
}
marked timeout 20 "${apart[@]}" "$enomem" inject -q process:EAGAIN "$victim" all 2>"$errors"
is "kill(-1) after a fork that failed is not let through" "$?" 1
marked timeout 20 "${apart[@]}" "$victim" all
is "kill(-1): bare, fork works" "$?" 0
inject process:EAGAIN "$victim" fork
is "kill(-1): of others nothing is said" "$(get .kills_kept_from)" 0
is "they kill nobody" "$(marked timeout 20 "${apart[@]}" sh -c 'sleep 30 & "$0" inject -q process:when=9 sh -c "kill -TERM -1; kill -KILL -1"; kill -0 $! && echo alive' "$enomem" 2>/dev/null)" alive

sweep "$victim" clean
found "a clean program" "0 clean"
is "a clean program: each call once, and ever after" "$(get '[.findings[].spec] | join(" ")')" "process,memory:ENOMEM:when=1 process,memory:ENOMEM" || tell_sweep
sweep "$victim" silent
found "one that looks at nothing" "0 silent"
sweep "$victim" crash
found "a crash" "1 crash"
is "a crash: which" "$(get '.findings[0] | "\(.crash.comm) \(.crash.signal) \(.fault.call) \(.fault.asked) \(.injected)"')" "victim SIGSEGV mmap 1048576 true" || tell_sweep
replay=$(get '.findings[0].replay')
is "a crash: its replay" "$replay" "enomem inject process,memory:ENOMEM:when=1 -- $victim crash"
marked sh -c "$(dirname "$enomem")/$replay" 2>"$errors"
is "a crash: it crashes again" "$?" 139
sweep sh -c '"$0" crash || exit 0' "$victim"
is "a crash of a child, which its parent hides" "$code $(get '[.findings[] | select(.outcome == "crash") | .crash.comm] | unique | join(",")')" "1 victim" || tell_sweep
sweep --timeout 1s "$victim" hang
is "a hang" "$code $(get '[.findings[] | select(.outcome == "hang") | .spec] | join(" ")')" "1 process,memory:ENOMEM" || tell_sweep
sweep "$victim" leak
is "a leaked child" "$code $(get '[.findings[] | select(.outcome == "leak") | "\(.fault.call) \(.left)"] | unique | join(" ")')" "1 mmap 1" || tell_sweep
sweep "$victim" all
found "kill(-1)" "1 kill-all"
sweep --calls munmap "$victim" munmap
found "--calls: a munmap that fails" "0 clean"
sweep --calls process --errno EAGAIN "$victim" fork
found "--errno: no process" "0 clean"
sweep --max-runs 3 sh -c '(:); (:); (:)'
is "--max-runs" "$(get '"\(.complete) \(.runs)"')" "false 3" || tell_sweep
sweep --calls process sh -c 'sleep 30 & exit 0'
is "one that always leaves a child: no finding" "$code $(get '.outcomes | .leak + .crash + .hang')" "0 0" || tell_sweep
sweep "$work/ends"
is "one that ends before main()" "$code $(get '"\(.began) \(.calls)"')" "0 false 0" || tell_sweep
sweep /bin/true
is "true" "$code $(get .complete)" "0 true" || tell_sweep
sweep bash -c 'ls / | cat'
is "bash" "$code $(get '"\(.complete) \(.calls > 3)"')" "0 true true" || tell_sweep
sweep "$enomem" list pids-max
is "enomem list survives each of them" "$code $(get '"\(.complete) \(.calls > 10)"')" "0 true true" || tell_sweep
# Its other commands that need no tracing: each call that is refused ends in a message or is done without; nothing crashes, hangs, or
# is left, not half a page either. `run` cannot: who traces is not traced, and would be shown other runs than those of here. There its
# allocations fail instead: torture.t.
results=$live/../../../results
jq '.scenarios |= map(select(.name == "pids-max"))' "$results/6.1.json" >"$work/one.json"
mkdir "$work/swept" "$work/swept/tmp"
survives() # enomem's arguments
{
	state=$work/swept/tmp TMPDIR=$work/swept/tmp sweep "$enomem" "$@"
	is "enomem $1 survives each of them, in time" "$code $(get '"\(.complete) \(.calls > 10) \(.findings | map(select(.outcome | IN("crash", "hang", "leak", "kill-all"))) | length)"')" "0 true true 0" || tell_sweep
	is "enomem $1: some of them end it, and it says so" "$(get '.outcomes.clean > 0')" true || tell_sweep
	is "enomem $1: no file is left" "$(cd "$work/swept" && echo * tmp/*)" "${left:-tmp} tmp/*"
}
survives explain pids-max
survives compare "$work/one.json" "$work/one.json"
survives triage
marked timeout 60 "$enomem" hold --key "$work/swept/key" pids-max -- true 2>"$errors"
echo '{"cause": "pids-max"}' >"$work/swept/answer"
left='answer key tmp'
survives grade "$work/swept/key" "$work/swept/answer"
rm -f "$work/swept/answer" "$work/swept/key"
left='page.html tmp'
"$enomem" report -o "$work/swept/page.html" "$work/one.json"
cp "$work/swept/page.html" "$work/whole.html"
survives report -o "$work/swept/page.html" "$work/one.json"
# The last run was refused everything from some call on: what was there before stays, or all of it is new.
is "enomem report: the page is whole" "$(tail -n 1 "$work/swept/page.html") $(wc -l <"$work/swept/page.html")" "$(tail -n 1 "$work/whole.html") $(wc -l <"$work/whole.html")"
# Those that trace, with less and less room for what they themselves need, by the kernel's own refusals: each ends in time, and by itself; if
# not well, it says so.
silent='' died='' ended=''
for kib in $(seq 5500 250 9000) 10000 12000 16000; do
	for words in "run pids-max/fork" "hold pids-max -- true" "capture -o $work/swept/tree pids-max" "run pids-max -- true" "inject mmap:when=99 -- true" "why -- true"; do
		# shellcheck disable=SC2086
		state=$work/swept/tmp TMPDIR=$work/swept/tmp seconds=60 marked prlimit --as=$((kib * 1024)) "$enomem" $words >"$work/out" 2>&1 </dev/null
		code=$?
		ended="$ended $code"
		[ "$code" -lt 128 ] || died="$died $kib:${words%% *}:$code"
		[ "$code" = 0 ] || [ -s "$work/out" ] || silent="$silent $kib:${words%% *}:$code"
		rm -rf "$work/swept/tree"
	done
done
is "with little room: none died or hung" "$died" ""
is "with little room: none failed without a word" "$silent" ""
like "with little room: some did not work, and some did" "$ended" ' 3 .* 0'
is "with little room: no file is left" "$(cd "$work/swept" && find . -name '*tree*' -o -path './tmp/*hold*')" ""
nothing_left "with little room: "
for how in clone clone3 constant; do
	sweep --calls mmap "$untraced" "$how"
	found "a task that nobody is to trace, by $how: its calls are refused" "0 clean"
	is "a task that nobody is to trace, by $how: in all runs" "$(get '.untraced == .runs + 1 and .unwatched == 0')" true || tell_sweep
done
if [ "$has_sanitizer" = 0 ]; then
	marked timeout 60 "${apart[@]}" "$enomem" sweep "$sanitized" >"$work/out" 2>"$errors"
	is "LeakSanitizer: it does not work without a fault either" "$? $(grep -c 'without a fault it ends with exit status 1$' "$errors")" "2 1"
	like "LeakSanitizer: what there is to do" "$(sed -n 's/^enomem: //p' "$errors")" "$untraced_note"
	ASAN_OPTIONS=detect_leaks=0 sweep --max-runs 2 "$sanitized"
	is "without LeakSanitizer" "$code $(get .untraced)" "0 0" || tell_sweep
fi
marked timeout 20 "${apart[@]}" "$enomem" sweep "$victim" crash >"$work/out" 2>"$errors"
like "for people" "$(cat "$work/out")" '^    enomem inject process,memory:ENOMEM:when=1 -- .*victim crash$'
is "for people: every line of a finding says injected" "$(grep -c '^  crash: .*injected: mmap refused with ENOMEM' "$work/out")" 2

stops() # what, status, message, options and operands...
{
	local what=$1 status=$2 message=$3
	shift 3
	marked timeout 20 "${apart[@]}" "$enomem" sweep "$@" >"$work/out" 2>"$errors"
	is "sweep, $what: exit status" "$?" "$status"
	like "sweep, $what: it is said" "$(cat "$errors")" "$message"
}
stops "no program" 2 'no program'
stops "unknown program" 2 'cannot be executed \(ENOENT\)' no-such-program
stops "one that needs a terminal" 2 'without a fault it ends with exit status.*|/dev/null to read from' sh -c 'test -t 0'
stops "one that does not work" 2 'without a fault it ends with exit status 3' sh -c 'exit 3'
stops "one that does not end" 2 'without a fault it does not end in time' --timeout 200ms sleep 30
stops "unknown class" 2 "did you mean 'memory'" --calls memry true
stops "unknown errno" 2 "did you mean 'ENOMEM'" --errno ENOMEN true
stops "no time" 2 'is no time' --timeout x true
stops "no number" 2 'is no number of runs' --max-runs 0 true
marked timeout 30 "${apart[@]}" sh -c 'timeout -s INT 1 "$0" sweep sh -c "sleep 0.1; (:)"; echo $?' "$enomem" >"$work/out" 2>"$errors"
like "Ctrl-C ends a sweep" "$(cat "$work/out")" '^(124|130|0)$'

finish
