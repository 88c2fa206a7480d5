#!/bin/bash
# SPDX-License-Identifier: MIT
# The page of stored results: made of what really ran, well-formed, asking nobody for anything, the same for the same file, and
# never half written. In a real browser: report-browser.py.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

page=$work/page.html result=$work/first.json
references=$live/../../../results

well_formed() { xmllint --noout --nonet --huge "$1"; } # the page is XML as well

exits() # what, exit status, stderr (regex), words
{
	local what=$1 expected=$2 says=$3
	shift 3
	rm -f "$page"
	harness report "$@"
	is "$what: exit status" "$code" "$expected"
	like "$what: told" "$(cat "$errors")" "$says"
	ok "$what: no page is left" test ! -e "$page"
	is "$what: nor a part of one" "$(find "$work" -maxdepth 1 -name 'page.html.*')" ""
}

# --- what really ran ---
marked "$enomem" run --no-guest -o "$result" -f json pids-max address-space-limit strict-commit >"$json" 2>"$errors" </dev/null
harness report --library none -o "$page" "$result"
is "a page is made of a result" "$code $(cat "$errors")" "0 "
text=$(cat "$page")
like "it names the kernel" "$text" "<h1>.*$(uname -r)"
like "the scenario's sentence" "$text" 'As predicted: <strong>mmap ENOMEM</strong>, because of rlimit-as'
like "a timeline" "$text" 'svg class="chart".*Timeline of [0-9]+ values of the address space'
like "the bars" "$text" 'in use and .* asked, against a bound of'
like "the refused call" "$text" '<code>mmap\(.*\) = -1 ENOMEM'
like "what was skipped says why" "$text" 'Not proven here: '
like "how to see it again" "$text" '>enomem run --no-guest address-space-limit/mmap</pre>'
is "the command that made it" "$(jq -c .command "$result")" "[\"enomem\",\"run\",\"--no-guest\",\"-o\",\"$result\",\"-f\",\"json\",\"pids-max\",\"address-space-limit\",\"strict-commit\"]"
like "and in the page" "$text" "<code class=\"typed\">enomem run --no-guest -o $result -f json pids-max address-space-limit strict-commit</code>"
# As typed: options behind operands, and what a shell and a page would take for their own.
marked "$enomem" run pids-max/fork --no-guest -o "$work/typed.json" -p pids.max=9 -j 2 --guest-append '<i>$(reboot) '\''`' >"$json" 2>"$errors" </dev/null
is "as it was typed" "$(jq -c '.command[1:]' "$work/typed.json")" \
	"[\"run\",\"pids-max/fork\",\"--no-guest\",\"-o\",\"$work/typed.json\",\"-p\",\"pids.max=9\",\"-j\",\"2\",\"--guest-append\",\"<i>\$(reboot) '\`\"]" || tell
harness report --library none "$work/typed.json"
like "quoted for a shell, and escaped" "$(cat "$json")" "-p pids.max=9 -j 2 --guest-append &#39;&lt;i&gt;.\(reboot\) &#39;.&#39;&#39;\`&#39;</code>"
printf '%s\n' "$(sed -n 's/.*<code class="typed">\([^<]*\).*/\1/p' "$json" | sed "s/&#39;/'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g")" >"$work/again"
is "and a shell reads it back" "$(bash -c 'enomem() { printf "%s\n" "$@"; }; . "$0"' "$work/again" | jq -Rsc 'split("\n")[:-1]')" "$(jq -c '.command[1:]' "$work/typed.json")"
like "what was set is no profile" "$(cat "$json")" '; set: pids.max=9<'
like "and is set again" "$(cat "$json")" '>enomem run --no-guest -p pids.max=9 pids-max/fork</pre>'
# A limit that is not reached: nothing was refused, and nothing helped.
marked "$enomem" run --no-guest -o "$work/granted.json" -p pids.max=3000 pids-max/fork >"$json" 2>"$errors" </dev/null
harness report --library none -o "$work/granted.html" "$work/granted.json"
like "not refused: nothing helped" "$(cat "$work/granted.html")" 'The trigger was not refused, so nothing can be said to have helped'
ok "and that is all it says" not grep -qE 'These were tried, and helped|is not sampled|Typed while the program was held' "$work/granted.html"
like "the predicted limit is drawn" "$(cat "$work/granted.html")" 'predicted limit 3,000'
harness report --library none "$result"
is "on standard output, the same bytes" "$(sha256sum <"$json")" "$(sha256sum <"$page")"

if command -v xmllint >/dev/null; then
	ok "well-formed" well_formed "$page"
	sed 's/<h1>/<h1><b>/' "$page" >"$work/bad.html"
	ok "the check of that sees what is not" not well_formed "$work/bad.html" 2>/dev/null
else
	skip_test "well-formed" "needs xmllint: apt-get install libxml2-utils"
fi

# --- the commands of the boxes, which are run as they stand there ---
box() { python3 "$live/report-boxes.py" "$work/boxes.html" "$@"; }

# The groups go below this test's own, where they are ours to make, under a name of ours.
own_group() { sed -n "s,^[0-9]*:$1:,,p" /proc/self/cgroup | sed 's,/$,,'; }
typed() # a script from stdin, with what it says
{
	sed "s,/sys/fs/cgroup/memory/try,/sys/fs/cgroup/memory$(own_group memory)/try-$$,g; s,/sys/fs/cgroup/pids/try,/sys/fs/cgroup/pids$(own_group pids)/try-$$,g" |
		PATH=$ENOMEM_BUILD/harness:$PATH seconds=60 marked bash 2>&1
}
try_groups_left() { find /sys/fs/cgroup -maxdepth 6 -type d -name "try-$$*" 2>/dev/null; }

case $(stat -fc %T /sys/fs/cgroup)/$(id -u) in
tmpfs/0)
	marked "$enomem" run --no-guest -j 2 -o "$work/boxes.json" -f json pids-max pids-max-above memory-max/touch memory-v1/send \
		address-space-limit/mmap memlock-limit/mlock shm-limit tmpfs-size/write injected/brk >"$json" 2>"$errors" </dev/null
	harness report --library none -o "$work/boxes.html" "$work/boxes.json"
	is "a page whose commands are run" "$code $(cat "$errors")" "0 "
	is "the case is named" "$(box pids-max Reproduce | head -n 1)" "enomem run --no-guest pids-max/fork"
	is "where there is none, none is" "$(box pids-max-above Reproduce | head -n 1)" "enomem run --no-guest pids-max-above"
	marked sh -c "$(box address-space-limit Reproduce | head -n 1 | sed "s,^enomem ,$enomem ,") -f json --no-guest" >"$json" 2>"$errors"
	is "that command gives the verdict" "$(get '.scenarios[] | .name + " " + .verdict')" "address-space-limit pass"
	# What the program said when enomem ran it, it says again.
	for again in pids-max pids-max-above address-space-limit memlock-limit shm-limit tmpfs-size injected; do
		said=$(jq -r --arg name "$again" 'first(.scenarios[] | select(.name == $name).runs[] | select(.role == "trigger" and .argv).output.stderr)' "$work/boxes.json")
		told=$(box "$again" Reproduce | tail -n +2 | typed)
		like "$again, by hand: refused" "$told" "^${said:-nothing}$"
	done
	like "memory-max, by hand: killed" "$(box memory-max Reproduce | tail -n +2 | typed)" ' Killed '
	told=$(box memory-v1 Reproduce | tail -n +2 | typed)
	like "memory-v1, by hand: stands still, and is ended" "$told" 'Killed'
	unlike "memory-v1: it had not got what it asked for" "$told" 'were taken'
	like "injected, by hand: it is told" "$(box injected Reproduce)" "^enomem inject 'brk:ENOMEM:size>=1048576' -- ./injected brk$"

	while IFS='|' read -r name remedy says; do
		like "$name, $remedy" "$(box "$name" Fix "$remedy" | typed)" "$says"
	done <<-'REMEDIES'
		pids-max|pids.max raised|^fork: 8 of 8 started$
		pids-max|children waited for, asked again|^fork: 8 of 8 started$
		pids-max|more memory|^fork: Resource temporarily unavailable$
		pids-max-above|limit above raised|^8 of 8 started$
		pids-max-above|its own pids.max raised|^fork: Resource temporarily unavailable$
		memory-max|memory.max raised|^all pages used$
		memory-max|using less|^all pages used$
		memory-max|every ulimit unlimited| Killed 
		memory-v1|memory.kmem.tcp.max raised|were taken$
		address-space-limit|limit above the need|^granted$
		address-space-limit|soft limit raised by the program itself|^granted$
		address-space-limit|ulimit -d unlimited|^mmap: Cannot allocate memory$
		memlock-limit|limit above the need|^granted$
		memlock-limit|root with CAP_IPC_LOCK|^granted$
		shm-limit|shmmax raised|^1 segments
		tmpfs-size|mounted with a larger size|^write: all 24576 granted$
		injected|no longer injected|^granted$
	REMEDIES
	is "which cases, and what came of it" "$(box pids-max Fix "pids.max raised" what | head -n 1)" \
		"pids.max raised: granted in fork, vfork, clone, thread, zombies, popen"
	like "what did not help says so" "$(box pids-max Fix "more memory" what | head -n 1)" '^more memory: still refused: clone EAGAIN in fork, '
	# A living program: a shell in the group of the box, which is refused before and not after.
	{
		box pids-max Reproduce | sed -n '/^mkdir/p; s/^echo 6 /echo 1 /p'
		echo '(echo 0 > /sys/fs/cgroup/pids/try/cgroup.procs; (:) || echo refused; read -r line; (:) && echo granted) <"$0.go" &'
		echo 'exec 3>"$0.go"; sleep 1'
		box pids-max Fix "pids.max raised live, asked again" | head -n 1
		echo 'echo >&3; wait'
		box pids-max Reproduce | sed -n '/^rmdir/p'
	} >"$work/live"
	mkfifo "$work/live.go"
	told=$({ echo "set -- ; BASH_ARGV0=$work/live"; cat "$work/live"; } | typed)
	like "raised live: refused before" "$told" '^refused$|fork: (retry: )?Resource temporarily unavailable'
	like "raised live: granted after" "$told" '^granted$'
	# The limit of a living process, found by the name of the program.
	cp "$(command -v sleep)" "$work/tmpfs-size"
	marked "$work/tmpfs-size" 30 &
	for _ in 1 2 3 4 5 6 7 8 9 10; do pid=$(pgrep -nx tmpfs-size) && break; sleep 0.2; done
	is "a program is found by the command of the box" "$(box tmpfs-size Fix "remounted larger, asked again" | sed -n '1{p;q}' | { cat; echo 'echo "$pid"'; } | typed)" "${pid:-none}"
	[ -z "${pid:-}" ] || kill "$pid"
	wait
	is "no group of those is left" "$(try_groups_left)" ""
	;;
*) skip_test "the commands of the boxes" "needs root and cgroup v1, whose groups can be made anywhere" ;;
esac

# --- nothing is asked for ---
asks() { grep -oE "(src|href|action|data|poster|srcset|xlink:href)=[\"'][^\"'#][^\"']*|url\([^)]*\)|@import[^;]*|https?://[^\"'< ]*" "$1" |
	grep -vxF 'http://www.w3.org/1999/xhtml'; }
is "no address of anything" "$(asks "$page")" ""
echo '<img src="http://example.org/x.png">' >"$work/bad.html"
like "the check of that sees one" "$(asks "$work/bad.html")" 'example.org'
like "a policy forbids requests" "$text" "Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-[^']*'; script-src 'sha256-[^']*'\""
script_hash() { perl -0777 -ne 'print $1 if m{<script>(.*?)</script>}s' "$1" | openssl dgst -sha256 -binary | base64; }
if command -v openssl >/dev/null; then
	like "the script is the one whose hash it names" "$text" "script-src 'sha256-$(script_hash "$page" | sed 's/[+]/\\+/g')'"
else
	skip_test "the script is the one whose hash it names" "needs openssl: apt-get install openssl"
fi

# --- the chart library ---
printf '/*!\n * Chart.js v4.4.0\n */\nvar Chart = 1 < 2 && "x";\n' >"$work/chart.js"
harness report --library "$work/chart.js" -o "$page" "$result"
like "a library is put in" "$code $(grep -c 'var Chart = 1 < 2' "$page")" '^0 1$'
printf '/*! Chart.js v3.9.1 */\nx = "</sCript>"\n' >"$work/chart.js"
exits "a library that ends its element" 2 'could end its own element' --library "$work/chart.js" -o "$page" "$result"
exits "a library that is not there" 2 'no-such.js: no chart library could be read .ENOENT' --library "$work/no-such.js" -o "$page" "$result"
echo 'alert(1)' >"$work/other.js"
exits "another file is no library" 2 'no Chart.js of version 3 or 4' --library "$work/other.js" -o "$page" "$result"
exits "nor is this" 2 'no Chart.js of version 3 or 4' --library /etc/passwd -o "$page" "$result"
exits "a directory is no library" 2 'no chart library could be read' --library "$work" -o "$page" "$result"

# --- hostile text, in every place where a result may have any ---
cat >"$work/change.py" <<'PY'
import json, sys
evil = "</script><svg/onload=alert(1)>\"'`&lt;\u202e\u0001\u007f\ufffe"
kept = {"schema", "verdict", "role", "kind", "scope", "at", "cgroup"}
count = 0
def change(value, key):
    global count
    if isinstance(value, str):
        count += 1
        return value if key in kept else evil + (str(count) if key == "name" else "")
    if isinstance(value, list):
        return [change(v, None) for v in value]
    if isinstance(value, dict):
        changed = {k: change(v, k) for k, v in value.items()}
        if key in ("sysctl", "rlimit"):
            changed[evil] = evil if key == "sysctl" else 1
        return changed
    return value
result = json.load(open(sys.argv[2], encoding="utf-8"))
if sys.argv[1] == "evil":
    result = change(result, None)
for run in [run for scenario in result["scenarios"] for run in scenario["runs"]] if sys.argv[1] == "big" else []:
    if "cause" in run:
        run["cause"].update(in_use=2**63 - 1, asked=None, bound=2**63 - 1)
    if "samples" in run:
        run["samples"].update(vm_size=[2**63 - 1] * 3, rss=[None, -1, 1.5])
json.dump(result, sys.stdout)
PY
python3 "$work/change.py" evil "$result" >"$work/evil.json"
harness report --library none -o "$page" "$work/evil.json"
is "hostile text in all places" "$code $(cat "$errors")" "0 "
unlike "none of it is markup" "$(cat "$page")" '<svg/onload'
like "but it is there" "$(grep -o '&lt;svg/onload=alert(1)&gt;' "$page" | head -n 1)" 'onload'
is "no control character is left" "$(tr -dc '\000-\010\013\014\016-\037\177' <"$page" | wc -c)" 0
command -v xmllint >/dev/null && ok "still well-formed" well_formed "$page"

# --- numbers of any size ---
python3 "$work/change.py" big "$result" >"$work/big.json"
harness report --library none -o "$page" "$work/big.json"
is "numbers up to 2^63 and beyond" "$code $(cat "$errors")" "0 "
unlike "none is drawn as no number" "$(cat "$page")" '"(nan|inf|-nan|[0-9.e+]*e[+-]?[0-9]+)"'
command -v xmllint >/dev/null && ok "well-formed as well" well_formed "$page"

# --- files that are none ---
printf '{"schema": "enomem-result/1",\n "enomem": }\n' >"$work/broken.json"
exits "broken JSON" 2 "broken.json:2:[0-9]+: " -o "$page" "$work/broken.json"
jq '.schema = "enomem-result/2"' "$result" >"$work/version.json"
exits "another version of the schema" 2 'version.json: schema' -o "$page" "$work/version.json"
printf '{"schema": "enomem-result/1", "enomem": "\\u0000"}' >"$work/nul.json"
exits "a NUL in a text" 2 'nul.json:1:[0-9]+: ' -o "$page" "$work/nul.json"
: >"$work/empty.json"
exits "an empty file" 2 'empty.json' -o "$page" "$work/empty.json"
exits "a file that is not there" 2 'no-such.json: cannot be opened' -o "$page" "$work/no-such.json"
exits "one of two is none" 2 'broken.json:2' -o "$page" "$result" "$work/broken.json"
exits "no file at all" 2 'name a result file' -o "$page"
jq '.scenarios = [] | .summary = {pass: 0, fail: 0, broken: 0, skip: 0}' "$result" >"$work/none.json"
harness report --library none -o "$page" "$work/none.json"
like "a result of nothing is a page" "$code $(cat "$page")" '^0 .*|No scenario is in this file'
jq '.scenarios |= map(.verdict = "skip" | .reason = "not today" | .runs = []) | .summary |= (.pass = 0 | .fail = 0 | .broken = 0 | .skip = 3) | del(.summary.runs)' "$result" >"$work/skipped.json"
harness report --library none -o "$page" "$work/skipped.json"
is "all skipped: counted" "$code $(grep -o '<li data-filter="skip"[^/]*/b> skip' "$page" | grep -o '<b>[0-9]*')" "0 <b>3"

# --- where it cannot be written ---
exits "a directory that is not there" 3 'no-such/page.html: the page could not be written .ENOENT' -o "$work/no-such/page.html" "$result"
echo before >"$work/kept.html"
marked sh -c 'ulimit -f 8; trap "" XFSZ; exec "$@"' sh "$enomem" report --library none -o "$work/kept.html" "$result" >"$json" 2>"$errors"
is "no room: exit status" "$?" 3
is "no room: what was there stays" "$(cat "$work/kept.html") $(find "$work" -name 'kept.html.*')" "before "
marked sh -c 'exec "$@" >/dev/full' sh "$enomem" report --library none "$result" 2>"$errors"
is "standard output is full" "$? $(grep -c ENOSPC "$errors")" "3 1"
marked sh -c 'exec "$@" >&-' sh "$enomem" report --library none "$result" 2>"$errors"
is "standard output is closed" "$?" 3
if command -v script >/dev/null; then
	marked script -qec "$enomem report $result" /dev/null >"$json" 2>&1 </dev/null
	like "not to a terminal" "$(cat "$json")" 'standard output is a terminal'
else
	skip_test "not to a terminal" "needs script: apt-get install bsdutils"
fi

# --- several results, and references ---
harness report --library none -o "$page" "$result" "$references/5.10.json" "$references/6.1.json" "$references/6.12.json" "$references/7.2.json"
is "a result and four references" "$code $(cat "$errors")" "0 "
text=$(cat "$page")
like "side by side" "$text" 'Scenarios by results'
like "what differs is told" "$text" 'What differs'
like "a box says of which result it is" "$text" '<p class="note">Of 5.10[^<]*:</p><div class="boxes"><div class="box"><h3>Why</h3><p><strong>rlimit-memlock'
like "references have the classes of the scenarios" "$text" '<td>map-count</td>'
like "no samples, told" "$text" 'this file is a reference'
command -v xmllint >/dev/null && ok "well-formed with several" well_formed "$page"
harness report --library none "$references/6.1.json" "$references/6.1.json"
is "the same twice" "$code" 0
for _ in 1 2; do marked "$enomem" report --library none -o "$page" "$result" 2>>"$errors" & done
wait
is "two at once: one whole page" "$(tail -c 8 "$page")" "</html>"

# --- unprivileged ---
chmod 644 "$result"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id nobody >/dev/null 2>&1; then
	marked setpriv --reuid=nobody --clear-groups "$enomem" report --library none "$result" >"$work/nobody.html" 2>"$errors"
	is "as nobody, the same page" "$? $(sha256sum <"$work/nobody.html")" "0 $(sha256sum <"$page")"
fi

# --- the handbook ---
harness report --handbook -o "$work/book.html"
is "the handbook is a page" "$code $(cat "$errors")" "0 "
is "with every lesson, and each in the contents" \
	"$(grep -o '<article id="lesson-[^"]*' "$work/book.html" | cut -d- -f2- | sort) $(grep -o 'href="#lesson-[^"]*' "$work/book.html" | cut -d- -f2- | sort)" \
	"$(cd "$ENOMEM_BUILD/scenarios" && dirname */lesson.md | sort) $(cd "$ENOMEM_BUILD/scenarios" && dirname */lesson.md | sort)"
answered=$(cd "$ENOMEM_BUILD/scenarios" && ls -- */answers.md | wc -l)
is "with the answers that there are, each behind its lesson" "$((answered > 0)) $(grep -c '<details><summary>Answers</summary>' "$work/book.html")" "1 $answered"
command -v xmllint >/dev/null && ok "the handbook is well-formed" well_formed "$work/book.html"
is "it has no address of anything" "$(asks "$work/book.html" | grep -vE '^https?://')" ""
harness report --handbook
is "the same bytes again" "$(sha256sum <"$json")" "$(sha256sum <"$work/book.html")"
exits "a handbook of results" 2 'a page of its own' --handbook -o "$page" "$result"

# --- in a browser ---
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
	skip_test "in a browser" "needs chromium: apt-get install chromium chromium-driver"
elif ! /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
	skip_test "in a browser" "needs selenium: apt-get install python3-selenium"
else
	library=/usr/share/javascript/chart.js/chart.min.js
	[ -e "$library" ] || library=none
	"$enomem" report --library "$library" -o "$work/one.html" "$result"
	"$enomem" report --library none -o "$work/plain.html" "$result"
	"$enomem" report --library "$library" -o "$work/several.html" "$references/5.10.json" "$references/6.1.json" "$result"
	"$enomem" report --library "$library" -o "$work/evil.html" "$work/evil.json"
	seconds=300 marked /usr/bin/python3 "$live/report-browser.py" "$work/one.html" "$work/plain.html" "$work/several.html" "$work/evil.html" \
		${ENOMEM_SCREENSHOTS:+"$ENOMEM_SCREENSHOTS"} >"$work/browser" 2>"$errors"
	browser=$?
	while IFS= read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" true ;;
		"not ok - "*) ok "${line#not ok - }" false ;;
		"# "*) echo "$line" ;;
		esac
	done <"$work/browser"
	is "the browser's tests came to their end" "$browser $(tail -n 5 "$errors")" "0 " 
fi

finish
