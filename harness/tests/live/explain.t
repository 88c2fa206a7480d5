#!/bin/bash
# SPDX-License-Identifier: MIT
# Lessons, causes and symptoms: what is explained is what manifests, references and this machine say, every lesson is whole and its
# commands work, and what is broken is told with its place.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

scenarios=$ENOMEM_BUILD/scenarios
names=$(cd "$scenarios" && for m in */scenario.yaml; do dirname "$m"; done | LC_ALL=C sort)

exits() # what, exit status, stderr (regex), words
{
	local what=$1 expected=$2 says=$3
	shift 3
	harness "$@"
	is "$what: exit status" "$code" "$expected"
	like "$what: told" "$(cat "$errors")" "$says"
}

# --- every lesson ---
headings="You see|Try it|Why|How to tell it from its neighbours|Fix|Check yourself"
harness list -f json
get '.[] | "\(.name) \(.runs) \(.runs_here)"' >"$work/listed"
for name in $names; do
	harness explain -f json "$name"
	is "$name: all sections, this machine, and what can run here as list says it" \
		"$code $(get '([.sections[].heading] | join("|")) + " " + .host.kernel + " " + .runs.command + " \(.runs.all) \(.runs.here)"')" \
		"0 $headings $(uname -r) enomem run $name $(sed -n "s/^$name //p" "$work/listed")"
	is "$name: its title is the manifest's" "$(get .title)" "$(sed -n 's/^title: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$scenarios/$name/scenario.yaml")"
	harness explain "$name"
	# What Markdown would read as markup is escaped for it alone; a bracket or a dot may be so in code, for a shell or an expression.
	is "$name: nothing in it is escaped for another reader" "$(grep -E '\\[_*`|]|&(lt|gt|amp);' "$json")" ""
done

# --- the commands of Try it: every scenario and claim they name is there, every option is one, and what needs no guest is run ---
commands() { awk '/^## /{on = /^## Try it/} on && /^    /{sub(/^    /, ""); print}' "$1"; }
for name in $names; do
	wrong=
	while IFS= read -r line; do
		IFS=';' read -ra parts <<<"$line"
		for part in "${parts[@]}"; do
			read -ra words <<<"$part"
			[ "${words[0]-}" = enomem ] || continue
			case ${words[1]} in
			run)
				before=
				for word in "${words[@]:2}"; do
					[ "$word" != -- ] || break # somebody else's command
					case $before/$word in
					-p/*) ;; # what is set instead
					*/-v | */-o | */-p | */result.json | */--guest | */--guest=6.1) ;;
					*) grep -q "^${word%%/*} " "$work/listed" || wrong="$wrong $word" ;;
					esac
					before=$word
				done
				;;
			explain) "$enomem" explain "${words[2]}" >/dev/null 2>&1 || wrong="$wrong ${words[2]}" ;;
			claims) "$enomem" claims "${words[@]:2}" >/dev/null 2>&1 || wrong="$wrong ${words[*]}" ;;
			list) [ "${words[2]-}" = --errno-table ] || wrong="$wrong ${words[*]}" ;;
			*) wrong="$wrong ${words[*]}" ;;
			esac
		done
	done < <(commands "$scenarios/$name/lesson.md")
	is "$name: the commands of Try it are commands" "$wrong" ""
	ok "$name: there is one" test -n "$(commands "$scenarios/$name/lesson.md")"
done
mkdir "$work/try"
for name in address-space-limit leak-loop pids-max wrappers descriptor-limit; do
	if not grep -q -- --guest < <(commands "$scenarios/$name/lesson.md"); then
		out=$(cd "$work/try" && PATH=$(dirname "$enomem"):$PATH marked bash -c "$(commands "$scenarios/$name/lesson.md")" 2>&1)
		is "$name: Try it, tried" "$?" 0 || diag "$out"
	fi
done

# --- causes that are named in lessons' commands and tables are causes, scenarios are scenarios ---
causes=$("$enomem" explain -f markdown | awk '/^## Causes/{on = 1} on' | grep -o '`[^`]*`' | tr -d '\`')
ok "there are causes" test "$(wc -l <<<"$causes")" -gt 30
for cause in $causes; do
	harness explain -f json "$cause"
	is "$cause is explained" "$code $(get 'if .kind == "cause" then .cause else .name end')" "0 $cause"
done

# --- what helps against a cause is of the cases that it refuses ---
helps() { harness explain -f json "$1"; get ".scenarios[] | select(.scenario == \"$2\") | .helps + .folklore | .[]"; }
while IFS='|' read -r cause scenario has has_not; do
	like "$cause: $scenario: $has" "$(helps "$cause" "$scenario")" "^$has$"
	unlike "$cause: $scenario: nothing of another limit's" "$(helps "$cause" "$scenario")" "^($has_not)$"
done <<-'REMEDIES'
	rlimit-as|interpreters|limit above the need|pids.max raised|a new namespace|more memory
	rlimit-nproc|limit-lowered|nproc raised again|pids raised again|raised again
	rlimit-as|limit-lowered|raised again|memlock raised again|given back before it is lowered
	rlimit-memlock|limit-lowered|memlock raised again|raised again|nproc raised again
	commit-limit|fork-huge-parent|strict: swap added|a page between the areas|MADV_DONTFORK
	commit-heuristic|fork-huge-parent|a page between the areas|strict: swap added|mode 1
	rlimit-memlock|bpf-map|ulimit -l raised|memory.max raised|memory.max raised live, asked again
	memcg-max|bpf-map|memory.max raised|ulimit -l raised|as root, who is not exempt
REMEDIES
unlike "what ulimit -d helps against is no matter of locked memory" "$(helps rlimit-memlock near-limit)" '^ulimit -d raised live'
is "two causes in one case: what helps against the first is not said of the second" "$(helps rlimit-as untouched)" ""

# --- symptoms: the scenarios are those that list chooses, by its own reading of the manifests ---
for outcome in ENOMEM EAGAIN EMFILE ENOSPC SIGKILL SIGSEGV SIGBUS stall panic; do
	harness list -f json --errno "$outcome"
	expected=$(get '[.[].name] | sort | join(" ")')
	harness explain -f json "$outcome"
	is "$outcome: who shows it" "$code $(get '[.given_by[].shown_by[]] | unique | join(" ")')" "0 $expected"
	is "$outcome: cheap checks first, and of one kind the fullest" \
		"$(get '[.given_by[] | [({"counter": 0, "process": 1, "machine": 2, "trace": 3}[.tell]), -(.limits[0].basis_points // -1)]] | (. == sort)')" true
	is "$outcome: each cause once" "$(get '[.given_by[].cause] | length - (unique | length)')" 0
	is "$outcome: a cause that the references know has its kernels" "$(get "[.given_by[] | select(.kernels | length == 0) | .shown_by[]] | unique | .[]" | while read -r name; do grep -l "\"name\": \"$name\"" "$ENOMEM_BUILD"/results/6.1.json; done)" ""
done
harness explain -f json ENOMEM
like "popen says ENOMEM of EAGAIN" "$(get '.said_of[] | "\(.called) \(.errno) \(.cause)"')" '^popen EAGAIN pids-max$'
is "a kill is counted by kills" "$(harness explain -f json SIGKILL; get '[.given_by[] | select(.cause == "memcg-max" and (.limits | length == 0)) | .show | test("oom_kill|oom_control")] | all')" true
is "a refusal is not" "$(harness explain -f json ENOMEM; get '[.given_by[] | select(.cause == "memcg-max" and (.limits | length == 0)) | .show | test("oom_kill|oom_control")] | any')" false

# --- the numbers are the caller's ---
limited() { marked bash -c 'ulimit -Sv 1000000; "$@"; exit $?' limited "$enomem" explain -f json "$1" >"$json" 2>"$errors"; }
limited rlimit-as
is "a limit that is set" "$(get '"\(.set) \(.limits[0].bound) \(.process.name)"')" "true 1024000000 bash"
like "in words" "$(marked bash -c 'ulimit -Sv 1000000; "$@"; exit $?' limited "$enomem" explain rlimit-as)" 'of 976\.6 MiB in use'
like "what lifts it" "$(get '.limits[0].fix')" '^prlimit --pid=[0-9]+ --as=2048000000:$'
limited address-space-limit
is "the lesson says so, too" "$(get '.causes[] | select(.cause == "rlimit-as") | .limits[0].bound')" 1024000000
if [ "$(ulimit -v)" = unlimited ]; then
	harness explain -f json rlimit-as
	is "one that is not set" "$(get '"\(.set) \(.limits | length)"')" "false 0"
	limited ENOMEM
	is "what is set comes before what is not" "$(get '[.given_by[] | select(.tell == "process") | .set] | index(false) > (index(true) // 0)')" true
else
	skip_test "one that is not set" "needs a shell without ulimit -v"
	skip_test "what is set comes before what is not" "needs a shell without ulimit -v"
fi

# --- that nothing is found is no proof ---
if [ "$(id -u)" -eq 0 ]; then
	exempt() { marked bash -c "$1"'; shift; "$@"; exit $?' limited x "$enomem" explain -f json "$2" >"$json" 2>"$errors"; }
	exempt 'ulimit -u 10' rlimit-nproc
	is "what is set and does not bind root" "$(get '"\(.set) \(.limits | length) \(.note | test("set to 10 tasks, .* exempt"))"')" "true 0 true"
	exempt 'ulimit -l 64' rlimit-memlock
	is "nor this" "$(get '"\(.set) \(.limits | length) \(.note | test("set to 64 KiB, .* exempt"))"')" "true 0 true"
else
	skip_test "what is set and does not bind root" "needs root"
	skip_test "nor this" "needs root"
fi
marked prlimit --as=3000000000 "$enomem" explain -f json rlimit-as >"$json" 2>"$errors"
like "enomem has another limit than its caller" "$(get .note)" 'enomem itself was started with another one .*: 2\.8 GiB'
if [ "$(awk '/^HugePages_Total/{print $2}' /proc/meminfo) $(cat /proc/sys/vm/nr_overcommit_hugepages 2>/dev/null)" = "0 0" ]; then
	harness explain -f json ENOMEM
	is "a pool without pages refuses" "$(get '.given_by[] | select(.cause == "hugetlb-pool") | "\(.set) \(.limits[0].bound)"')" "true 0"
else
	skip_test "a pool without pages refuses" "needs an empty pool of huge pages"
fi
harness explain -f json SIGKILL
is "a kill that the machine counts may be a group's" "$(get '[.given_by[] | select(.cause == "system-oom" or .cause == "swap-full") | .tell] | unique | join(" ")')" machine
is "the machine's RAM is always there" "$(get '.given_by[] | select(.cause == "system-oom") | .set')" true
is "swap where it is" "$(get '.given_by[] | select(.cause == "swap-full") | .set')" "$(awk '/^SwapTotal/{print ($2 > 0 ? "true" : "false")}' /proc/meminfo)"
is "CPU time is a limit of the process, and can be read" "$(get '.given_by[] | select(.cause == "rlimit-cpu") | "\(.tell) \(.show | test("Max cpu time"))"')" "process true"
harness explain -f json ENOSPC
is "queues can be read, too" "$(get '.given_by[] | select(.cause == "ipc-limit") | "\(.tell) \(.show)"')" "machine ipcs -l; ipcs -u"
for cause in shm-limit ipc-limit rlimit-cpu pids-max; do
	unlike "$cause: nothing is claimed that is not so" "$(marked "$enomem" explain "$cause")" 'cannot be the one|No file has its number'
done

# --- names ---
exits "a pattern that fits one" 0 '^$' explain 'leak-*'
exits "a pattern that fits several" 2 'pids-max, pids-max-above' explain 'pids-*'
exits "a misspelt scenario" 2 "did you mean 'pids-max'" explain pids-mx
exits "a misspelt errno" 2 "did you mean 'ENOMEM'" explain ENOMEN
exits "a part of a name" 2 "did you mean 'leak-loop'" explain leak
explained() { harness explain -f json "$1"; echo "$code $(get '.name // .outcome')"; }
is "an errno's number" "$(explained 12)" "0 ENOMEM"
is "an errno's text" "$(explained 'Cannot allocate memory')" "0 ENOMEM"
is "in whatever case" "$(explained 'resource temporarily UNAVAILABLE')" "0 EAGAIN"
is "a signal's text, as a shell has it" "$(explained Killed)" "0 SIGKILL"
is "the exit status of what a signal ended" "$(explained 137)" "0 SIGKILL"
like "and it is told" "$(cat "$errors")" '137: the exit status of what SIGKILL ended'
is "as the kernel returns it" "$(explained -12)" "0 ENOMEM"
is "and by name" "$(explained -ENOMEM)" "0 ENOMEM"
is "in small letters" "$(explained enomem) $(explained SigKill)" "0 ENOMEM 0 SIGKILL"
is "blanks around it" "$(explained $'  ENOMEM \n')" "0 ENOMEM"
while IFS='|' read -r message outcome; do
	is "a message: $message" "$(explained "$message")" "0 $outcome"
	like "and it is told" "$(cat "$errors")" "^enomem: .*: taken for $outcome$"
done <<-'MESSAGES'
	bash: fork: Cannot allocate memory|ENOMEM
	/bin/sh: 1: Cannot fork: Resource temporarily unavailable|EAGAIN
	OSError: [Errno 12] Cannot allocate memory|ENOMEM
	thread: cannot spawn (os error 11)|EAGAIN
	mmap() = -ENOMEM|ENOMEM
	fork/exec /bin/ls: cannot allocate memory|ENOMEM
	Out of memory: Killed process 4711 (postgres)|SIGKILL
	./run.sh: line 3: 4711 Killed ./server|SIGKILL
	the container ended with exit code 137|SIGKILL
	MemoryError: too much|MemoryError
	signal 9|SIGKILL
	Command terminated by signal 9|SIGKILL
	subprocess.CalledProcessError: exit status -9|SIGKILL
	returncode=-11|SIGSEGV
	Main process exited, code=exited, status=139|SIGSEGV
	failed with error code 12|ENOMEM
	error: -12|ENOMEM
	OOMKilled|SIGKILL
	OOM|SIGKILL
	oom|SIGKILL
	oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job,task=x,pid=4711,uid=0|SIGKILL
	oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=x,pid=4711,uid=0|SIGKILL
	Reason: OOMKilled, Exit Code: 137|SIGKILL
	std::bad_alloc|ENOMEM
	terminate called after throwing an instance of 'std::bad_alloc'|ENOMEM
	fatal: Out of memory, malloc failed|ENOMEM
	Out of memory|ENOMEM
	java.lang.OutOfMemoryError|ENOMEM
	java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached|EAGAIN
MESSAGES
harness explain 'java.lang.OutOfMemoryError: Java heap space'
like "the heap of Java has a limit of its own" "$code $(paste -s -d ' ' "$errors")" '^0 .*taken for ENOMEM.*-Xmx'
unlike "and no other" "$(cat "$errors")" 'V8|glibc'
harness explain 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
like "the heap of JavaScript has a limit of its own" "$code $(paste -s -d ' ' "$errors")" "^0 .*taken for ENOMEM.*V8's own .node --max-old-space-size.*the kernel refused nothing"
harness explain 'ImportError: libgomp.so.1: cannot allocate memory in static TLS block'
like "and so has the static TLS block" "$code $(paste -s -d ' ' "$errors")" "^0 .*taken for ENOMEM.*glibc's own .GLIBC_TUNABLES=glibc.rtld.optional_static_tls.*the kernel refused nothing"
harness explain 'fork: Cannot allocate memory'
unlike "what only the kernel says has none" "$(cat "$errors")" 'own|refused nothing'
harness explain Perl:\ Out\ of\ memory!
like "with perl's own words nothing is taken for another" "$code $(cat "$errors")" '^0 .*taken for Out of memory!$'
while IFS='|' read -r said status; do
	harness explain "$said"
	like "an exit status is no errno: $said" "$code $(paste -s -d ' ' "$errors")" "^2 enomem: exit status $status: .* no errno Hint: .*stderr.*enomem why"
done <<-'STATUSES'
	exit status 1|1
	exit code 12|12
	the job ended with status: 11|11
	code=exited, status=127|127
	exited with 2|2
	returncode 12|12
STATUSES
is "what Python says of a signal" "$(explained -9)" "0 SIGKILL"
like "and it is told" "$(cat "$errors")" '^enomem: -9: .*SIGKILL'
is "of two that can be meant the errno" "$(explained -11)" "0 EAGAIN"
like "and the other is told" "$(cat "$errors")" 'SIGSEGV'
exits "a message of nothing" 2 'it went wrong: no scenario, cause, errno or signal' explain 'server: it went wrong'
harness explain MemoryError
like "words of a program's own: what the kernel said" "$code $(cat "$json")" 'No call ends so: these are words of programs'
like "and to whom" "$(cat "$json")" 'python.*ENOMEM to .mmap.'
unlike "no cause is counted" "$(cat "$json")" '0 causes'
exits "what a terminal would obey is shown instead" 2 '^enomem: \\x1b\[31mred\\x07: no scenario' explain $'\033[31mred\a'
is "and nothing else" "$(grep -c $'\033\|\a' "$errors")" 0
exits "lines" 2 '^enomem: pids max: no scenario' explain $'pids\nmax'
exits "more than a name" 2 "^enomem: x{56}x*\\.\\.\\.: no scenario, cause, errno or signal$" explain "$(printf 'x%.0s' {1..300})"
exits "more than a message" 2 "^enomem: x*\\.\\.\\.: 5000 bytes are no name, and more than a message has$" explain "$(printf 'x%.0s' {1..5000})"
exits "a path that is none" 2 'no such scenario' explain nosuch/thing
exits "a number of nothing" 2 'no scenario, cause, errno or signal' explain 999
exits "nor 0" 2 'no scenario, cause, errno or signal' explain 0
exits "an errno that nobody shows" 2 'no scenario ends so' explain EROFS
exits "nothing like it" 2 'no scenario, cause, errno or signal' explain qqqqqqqqqq
exits "an empty name" 2 'no scenario, cause, errno or signal' explain ''
exits "two at a time" 2 'one is explained at a time' explain pids-max leak-loop
exits "a format there is not" 2 '--format: xml is none of' explain -f xml pids-max
exits "a colour there is not" 2 '--color: red is none of' explain --color red pids-max
exits "scdoc of one lesson" 2 'of the handbook only' explain -f scdoc pids-max
exits "a handbook of one lesson" 2 'all of it' explain --handbook pids-max
exits "a directory" 0 '^$' explain "$scenarios/pids-max/"
exits "no tree" 2 'no directory of scenarios' explain --scenarios "$work/nowhere" pids-max

# --- on a terminal, and not ---
export NO_COLOR=
unlike "no colour without a terminal" "$("$enomem" explain pids-max)" $'\033'
like "colour when asked for" "$("$enomem" explain --color=always pids-max)" $'\033\\[1m'
unlike "NO_COLOR" "$(NO_COLOR=1 CLICOLOR_FORCE=1 "$enomem" explain pids-max)" $'\033'
unset NO_COLOR
is "the same words in both" "$("$enomem" explain --color=always leak-loop | sed 's/\x1b\[[0-9;]*m//g' | tr -d '\140*=' | tr -s ' \n' ' ' | sed 's/(pid [0-9]*)//' | sed 's/On this machine.*//')" \
	"$("$enomem" explain leak-loop | tr -d '\140*=' | tr -s ' \n' ' ' | sed 's/(pid [0-9]*)//' | sed 's/On this machine.*//')"
if command -v script >/dev/null; then
	for width in 50 80 200; do
		script -qec "stty cols $width; $enomem explain --color=never max-map-count" /dev/null </dev/null >"$work/wide" 2>&1
		longest=$(tr -d '\r' <"$work/wide" | awk '{if (length($0) > n) n = length($0)} END {print n}')
		ok "lines fit into $width columns" test "$longest" -le "$((width < 100 ? width : 100))" -a "$longest" -gt "$((width < 100 ? width / 2 : 80))" || diag "longest: $longest"
	done
else
	skip_test "lines fit" "needs script: apt install bsdutils"
fi
marked "$enomem" explain pids-max >/dev/full 2>"$errors"
is "a full disk is no success" "$?" 3
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=54321 --clear-groups test -x "$enomem"; then
	marked setpriv --reuid=54321 --clear-groups "$enomem" explain ENOMEM >"$json" 2>"$errors"
	is "anybody may ask" "$? $(grep -c '^max-map-count$' "$json")" "0 1"
else
	skip_test "anybody may ask" "needs root, and a program that others can read"
fi

# --- the book ---
harness explain --handbook -f json
is "every scenario is in the book, once" "$(get '[.chapters[].lessons[].name] | sort | join(" ")')" "$(tr '\n' ' ' <<<"$names" | sed 's/ $//')"
is "from what it is not to reading a report" "$(get '"\(.chapters[0].title), \(.chapters[-1].title)"')" "What ENOMEM is not, Reading a report"
harness explain --handbook -f markdown
is "as Markdown: the lessons in that order" "$(grep -c '^### ' "$json") $(grep -c '^## ' "$json")" "$(wc -l <<<"$names") 10"
if command -v scdoc >/dev/null && command -v mandoc >/dev/null; then
	harness explain --handbook -f scdoc
	is "as a manual page" "$(scdoc <"$json" | mandoc -Tlint -W error 2>&1)" ""
	is "which has every lesson" "$(scdoc <"$json" | grep -c '^\.SS ')" "$(wc -l <<<"$names")"
else
	skip_test "as a manual page" "needs scdoc and mandoc: apt install scdoc mandoc"
fi

# --- what is broken ---
small=$work/small
mkdir -p "$small/handbook"
cp -r "$scenarios/pids-max" "$scenarios/leak-loop" "$small/"
book() { printf 'title: t\nchapters:\n  - {title: one, lessons: [pids-max]}\n  - {title: two, lessons: [leak-loop]}\ncourse: [pids-max]\n' >"$small/handbook/book.yaml"; }
book
exits "a book of two" 0 '^$' explain --scenarios "$small" --handbook
spoilt() # what, message, sed expression on the book
{
	book
	sed -i "$3" "$small/handbook/book.yaml"
	exits "$1" 2 "book.yaml:.*$2" explain --scenarios "$small" --handbook
}
spoilt "a scenario that is in no chapter" 'leak-loop is in no chapter' '/two/d'
spoilt "one that is in two" 'in the book already' 's/leak-loop/leak-loop, pids-max/'
spoilt "one that does not exist" 'no-such' 's/leak-loop/leak-loop, no-such/'
spoilt "one that is taught and not there" 'must be in a chapter' 's/course:.*/course: [max-map-count]/'
spoilt "one that is taught twice" 'taught twice' 's/course:.*/course: [pids-max, pids-max]/'
spoilt "an empty chapter" 'without lessons' 's/, lessons: .leak-loop.//'
spoilt "a page that is not there" 'page.md' 's/title: two/title: two, text: page.md/'
spoilt "a page elsewhere" 'a page is a file' 's/title: two/title: two, text: ..\/page.md/'
spoilt "an unknown key" 'lesons' 's/title: two, lessons/title: two, lesons/'
rm "$small/handbook/book.yaml"
exits "no book" 2 'book.yaml: No such file' explain --scenarios "$small" --handbook
exits "a lesson without a book" 0 '^$' explain --scenarios "$small" pids-max
lesson() # what, message, sed expression on the lesson
{
	cp "$scenarios/pids-max/lesson.md" "$small/pids-max/lesson.md"
	sed -i "$3" "$small/pids-max/lesson.md"
	exits "$1" 2 "lesson.md:[0-9]+: $2" explain --scenarios "$small" pids-max
}
lesson "a section is missing" "'Why' is missing before" '/^## Why/,/^## How/{/^## How/!d}'
lesson "the last one is" "'Check yourself' is missing at the end" '/^## Check/,$d'
lesson "one is empty" "'Try it' is empty" '/enomem run/d'
lesson "one is unknown" "'Whence' is no section" 's/^## Why/## Whence/'
lesson "two have changed places" "'Try it' is missing before 'Why'" 's/^## Try it/## tmp/; s/^## Why/## Try it/; s/^## tmp/## Why/'
lesson "no title" 'the first line is the title' '1s/# //'
lesson "too many words" '4[0-9][0-9] words' "\$s/\$/$(printf ' w%.0s' $(seq 70))/"
lesson "no UTF-8" 'not UTF-8' '$s/$/ \xff/'
cp "$scenarios/pids-max/lesson.md" "$small/pids-max/lesson.md"
rm -f "$small/pids-max/answers.md"
harness explain --scenarios "$small" pids-max
is "a lesson without answers" "$code $(grep -c '^Answers$' "$json")" "0 0"
printf '1. That\n   there.\n2. This.\n3. None.\n' >"$small/pids-max/answers.md"
harness explain --scenarios "$small" pids-max
is "answers stand at the end of the page, far from the questions" "$(sed -n '/^Answers$/,$p' "$json")" "Answers
  1. That there.
  2. This.
  3. None."
like "behind the questions and this machine" "$(grep -nE '^(Check yourself|On this machine|Answers)$' "$json" | cut -d: -f2 | tr '\n' ' ')" '^Check yourself On this machine Answers $'
is "as JSON" "$(harness explain --scenarios "$small" -f json pids-max; get .answers | head -n 1)" "1. That"
sed -i 3d "$small/pids-max/answers.md"
exits "an answer is missing" 2 "answers.md: answers are a list" explain --scenarios "$small" pids-max
sed -i '$d' "$small/pids-max/answers.md"
exits "fewer answers than questions" 2 "answers.md: 1 answers, but 'Check yourself' has 3 questions" explain --scenarios "$small" pids-max
rm "$small/pids-max/answers.md"
rm "$small/pids-max/lesson.md"
exits "no lesson" 2 'lesson.md: No such file' explain --scenarios "$small" pids-max
cp "$scenarios/pids-max/lesson.md" "$small/pids-max/lesson.md"
sed -i $'s/^`fork: /\033[31m\xc2\x9b`fork: /' "$small/pids-max/lesson.md"
harness explain --scenarios "$small" pids-max
is "a lesson that talks to the terminal does not" "$code $(grep -c $'\033\|\xc2\x9b' "$json")" "0 0"

nothing_left
finish
