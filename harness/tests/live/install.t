#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed works from wherever it is put, writes nothing outside, and is complete: manual pages, completion that knows every
# option, a version that tells what it is made of. The same source gives the same bytes, and every file of it says its licence.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
source=$(cd "$live/../../.." && pwd)
command -v cmake >/dev/null || { echo "1..0 # SKIP needs cmake: apt install cmake"; exit 0; }
[ -e "$ENOMEM_BUILD/cmake_install.cmake" ] || { echo "1..0 # SKIP needs a build tree, as cmake makes it, in ENOMEM_BUILD"; exit 0; }
[ -e "$ENOMEM_BUILD/scenarios/pids-max/pids-max" ] || { echo "1..0 # SKIP needs the whole build: cmake --build --preset release"; exit 0; }

digest() { (cd "$1" && find . -printf '%m %y %p %l\n' | sort && find . -type f -exec sha256sum {} + | sort) | sha256sum; }

# --- into any prefix, moved afterwards ---
marked cmake --install "$ENOMEM_BUILD" --prefix "$work/first/pre fix" >"$work/install.log" 2>"$errors"
ok "it can be installed" test $? = 0 || tell
is "everything is put below the prefix" "$(grep -- '-- Installing: ' "$work/install.log" | grep -vF -- "-- Installing: $work/first/pre fix/")" ""
is "that is: programs, what they need, and documents" "$(cd "$work/first/pre fix" && find . -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')" "./bin ./libexec ./share "
mkdir "$work/second"
mv "$work/first/pre fix" "$work/second/moved"
prefix=$work/second/moved
enomem=$prefix/bin/enomem
before=$(digest "$prefix")
mkdir "$work/home" "$work/scenarios-elsewhere"
export HOME=$work/home

installed() { ( unset ENOMEM_SCENARIOS; cd "$work/home" && harness "$@"; exit "$code" ); code=$?; }
installed list -f json
is "list: all that was built" "$code $(get '[.[].name] | join(" ")')" "0 $(cd "$ENOMEM_BUILD/scenarios" && for m in */scenario.yaml; do dirname "$m"; done | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')" || tell
run --no-guest address-space-limit
is "a scenario runs, and passes" "$(get '.scenarios[0] | "\(.name) \(.verdict)"')" "address-space-limit pass" || tell
installed claims -f json
is "claims are settled, by the references that came with it" "$code $(get '.guides | length > 0')" "0 true" || tell
installed claims --help
like "claims --help" "$code $(head -n 1 "$json")" '^0 Usage: enomem claims'
installed --version --json
is "--version --json: the scenarios and the static program are its own" \
	"$(get '"\(.features.guest_program) \(.scenarios)"')" "$([ -e "$ENOMEM_BUILD/harness/enomem-guest" ] && echo true || echo false) $prefix/bin/../libexec/enomem/scenarios"
mkdir "$prefix/scenarios" # a prefix may have a directory of that name
installed --completion scenarios
is "another directory of that name is not taken for it" "$code $(wc -l <"$json")" "0 $(find "$prefix/libexec/enomem/scenarios" -name scenario.yaml | wc -l)"
rmdir "$prefix/scenarios"
ln -s "$enomem" "$work/home/link"
ENOMEM_LINK=$work/home/link
is "through a link" "$(env -u ENOMEM_SCENARIOS "$ENOMEM_LINK" --completion scenarios | head -n 1)" "$(head -n 1 "$json")"
is "nothing was written beside what was installed" "$(digest "$prefix")" "$before"
is "nor into the home directory" "$(cd "$work/home" && find . -mindepth 1 ! -name link)" ""
mv "$prefix/libexec" "$prefix/gone"
installed list
like "without its scenarios: told, and where they should be" "$code $(head -n 1 "$errors")" '^2 enomem: .*/moved/bin/\.\./libexec/enomem/scenarios: no directory of scenarios \(ENOENT\)$'
mv "$prefix/gone" "$prefix/libexec"

# --- DESTDIR ---
DESTDIR=$work/stage marked cmake --install "$ENOMEM_BUILD" --prefix /opt/enomem >"$work/install.log" 2>&1
is "DESTDIR: the same files, below it" "$(digest "$work/stage/opt/enomem")" "$before"
is "and nothing else" "$(cd "$work/stage" && find . -maxdepth 2 -mindepth 1 | sort | tr '\n' ' ')" "./opt ./opt/enomem "
enomem=$work/stage/opt/enomem/bin/enomem
installed list -f json pids-max
is "and works from there" "$code $(get '.[0].name')" "0 pids-max"
rm -rf "$work/stage"
enomem=$prefix/bin/enomem

# --- manual pages and documents ---
if command -v scdoc >/dev/null; then
	for page in man1/enomem.1 man5/enomem-scenario.5 man7/enomem-lessons.7; do
		like "$page" "$(head -n 40 "$prefix/share/man/$page" 2>&1)" '^\.TH "enomem'
	done
else
	skip_test "manual pages" "needs scdoc: apt install scdoc"
fi
for document in NEWS.md SECURITY.md LICENSE; do
	ok "$document" test -s "$prefix/share/doc/enomem/$document"
done
like "NEWS has this version" "$(cat "$prefix/share/doc/enomem/NEWS.md")" "^## $("$enomem" --version | cut -d ' ' -f 2)\$"

# --- completion: what it offers is what the commands take ---
bash_script=$prefix/share/bash-completion/completions/enomem
zsh_script=$prefix/share/zsh/site-functions/_enomem
fish_script=$prefix/share/fish/vendor_completions.d/enomem.fish
commands=$("$enomem" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
is "there are commands" "$(grep -c . <<<"$commands")" "$("$enomem" --help | sed -n '/^Commands:/,/^$/p' | grep -c '^  ')"
missing=() extra=()
long_options() { grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }
for command in '' $commands; do
	# shellcheck disable=SC2086
	options=$("$enomem" $command --help | long_options)
	bash_knows=$(bash -c '. "$1" && _enomem_options "$2"' bash "$bash_script" "$command" | grep -v '=$')
	[ "$(sort <<<"$options")" = "$(sort <<<"$bash_knows")" ] || extra+=("bash ${command:-enomem}")
	zsh_part=$(if [ "$command" ]; then sed -n "/^\t$command)\$/,/;;\$/p" "$zsh_script"; else sed -n '/^_arguments -C/,/^case/p' "$zsh_script"; fi)
	fish_part=$(if [ "$command" ]; then grep -F "__enomem_at $command'" "$fish_script"; else grep -F "__enomem_at_start -l" "$fish_script"; fi; grep -F -- ' -l help ' "$fish_script")
	for option in $options; do
		[ "$option" = --help ] || [[ $fish_part == *" -l ${option#--} "* ]] || missing+=("fish $command $option")
		pattern="['{,*]$option[]=[,}']"
		[[ $zsh_part =~ $pattern ]] || missing+=("zsh $command $option")
	done
done
# --help: examples come first, of this command, with options that it has
for command in $commands; do
	help=$("$enomem" "$command" --help) wrong=()
	examples=$(sed -n '3{/^Examples:$/!q}; 4,/^$/p' <<<"$help")
	[ "$examples" ] || wrong+=("none")
	while read -r example; do
		[[ $example =~ ^enomem\ $command(\ |$) ]] || wrong+=("$example")
		for option in $(grep -oE -- ' --?[a-z][a-z-]*' <<<"${example%% -- *}"); do
			grep -qE -- "^ +(-[a-z], )?$option\b|^ +$option," <<<"$help" || wrong+=("$example: $option")
		done
	done < <(grep . <<<"$examples")
	is "$command --help: examples" "${wrong[*]}" ""
done
is "bash: of every command exactly its long options" "${extra[*]}" ""
is "zsh and fish: every long option of every command" "${missing[*]}" ""
for shell in bash zsh fish; do
	script=${shell}_script
	is "$shell: what is installed is what --completion prints" "$("$enomem" --completion $shell | sha256sum)" "$(sha256sum <"${!script}")"
done

completes() # what, expected, words; the last is the one to complete
{
	local what=$1 expected=$2
	shift 2
	# shellcheck disable=SC2016
	is "bash: $what" "$(cd "$work/home" && bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _enomem; printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -s -d " "' \
		"$bash_script" "$enomem" "$@" 2>&1)" "$expected"
}
for series in 9.8 9.9; do # no kernels, but what completion takes for them
	mkdir -p "$work/cache/kernels/$series.0-1-test"
	printf 'series=%s\nrelease=%s.0-1-test\n' "$series" "$series" >"$work/cache/kernels/$series.0-1-test/about"
	: >"$work/cache/kernels/$series.0-1-test/vmlinuz"
done
guests=$("$enomem" run --help | long_options | sed -n 's/^--guest$/--guest --guest=/p; /^--guest-/p' | tr '\n' ' ' | sed 's/ $//')
completes "enomem run --gu" "$(tr ' ' '\n' <<<"$guests" | sort -u | paste -s -d ' ')" run --gu
completes "a command" "claims" cl
completes "a hidden one is not offered" "" sta
completes "scenarios" "pids-max pids-max-above" run pids
completes "a value after =, three words to bash" "tap tap13" run --format = ta
completes "a value as the next word" "json" list -f j
completes "the formats of another command" "json markdown pretty" triage --format ''
completes "the last of a list" "leak,huge-pages" run --class leak,hu
completes "an argument that may be left out takes no next word" "pids-max pids-max-above" run --guest pids
completes "the options of the command after an operand" "--errno --errno-table" list pids-max --errn
completes "a command line of somebody else" "link" why -- bash li
completes "cases" "pids-max/fork" run pids-max/f
completes "a case with blanks, as a shell wants it" 'strict-commit/half\ of\ RAM' run strict-commit/ha
completes "what hold holds, and when" "aftermath at" hold --phase a
completes "from where calls are counted" "entry exec" inject --from = e
completes "calls" "mmap,mremap" sweep --calls mmap,mrem
completes "the errno of a sweep" "EAGAIN" sweep --errno EAG
completes "a signal for --errno" "SIGKILL" list --errno SIGKI
completes "another among the errnos" "ENOMEM,stall" run --errno ENOMEM,st
completes "what to explain: a cause" "memcg-max" explain memcg-ma
completes "what to explain: a signal" "SIGBUS" explain SIGB
completes "what to explain: an errno that no scenario ends with is none" "" explain EROF
completes "what to explain: one that some do" "ENOMEM" explain ENOM
completes "what to explain: a scenario" "pids-max pids-max-above" explain pids
completes "what to capture" "pids-max pids-max-above" capture --out x pids
completes "files to grade" "link" grade lin
completes "the cases of the scenario that is named" "fork" hold pids-max --case f
completes "of which one case is" "thread" hold pids-max/fork --case th
completes "no cases of none" "" hold --case f
completes "its triggers" 'address\ limit' hold leak-loop --run a
completes "what stands beside it" "leak-loop,pids-max leak-loop,pids-max-above" hold --decoys leak-loop,pids
completes "what the scenario sets" "pids.max=" run pids-max -p pi
completes "nothing that another one sets" "" run pids-max -p rlimit
completes "the kernels there are" "9.8 9.9" run --guest = 9
completes "or an image" "link" hold --guest = li
completes "a lesson" "pids-max pids-max-above" teach pids
completes "or a case of one" "pids-max/fork" teach pids-max/f
completes "or a file, which --class-summary takes" "link" teach lin
completes "claims" "$("$enomem" claims -f json | jq -r '.guides[].claims[].id | select(startswith("0.1"))' | LC_ALL=C sort -u | paste -s -d ' ')" claims 0.1
completes "or a result" "link" claims lin
completes "guides" "2" claims --guide 2
completes "calls to inject" "mmap" inject mma
completes "with which errno" "ENOMEM" inject mmap : ENOM
completes "or when" "when=" inject mmap : ENOMEM : wh
completes "and into which program" "printenv" inject mmap : ENOMEM : when = 3 printen
completes "a program behind --, of hold" "printenv" hold pids-max -- printen
completes "of run" "printenv" run pids-max/fork -- printen
completes "of inject" "printenv" inject --from main mmap -- printen
completes "behind -- of a command without: its operands" "pids-max pids-max-above" list -- pids
if [ -e /usr/share/bash-completion/bash_completion ]; then
	# The whole line, as bash hands it over; a program's own completion is asked for what stands behind.
	behind() # what, expected, words
	{
		local what=$1 expected=$2
		shift 2
		# shellcheck disable=SC2016
		is "bash-completion: $what" "$(cd "$work/home" && bash -c '. /usr/share/bash-completion/bash_completion; . "$0"
			_dash() { COMPREPLY=($(compgen -W "--frobnicate --of-$1" -- "${COMP_WORDS[COMP_CWORD]}")); }; complete -F _dash dash
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}; COMPREPLY=(); _enomem enomem "${*: -1}" ""; printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -s -d " "' \
			"$bash_script" "$enomem" "$@" 2>&1)" "$expected"
	}
	behind "the options of a program that is run" "--frobnicate --of-dash" run pids-max -- dash --
	behind "that is held for" "--frobnicate" hold --ttl 5s pids-max -- dash x --fro
	behind "that is asked why, without --" "--of-dash" why dash --of
	behind "that is injected into" "--frobnicate" inject mmap : ENOMEM dash --fro
	behind "and swept" "--frobnicate" sweep --errno EAGAIN dash --fro
else
	skip_test "bash-completion" "needs bash-completion: apt install bash-completion"
fi
completes "a program to run" "printenv" why -- printen
completes "an option of why, not of its command" "--quiet" why --qui
completes "the options without command" "--version" --ver
completes "a shell" "fish" --completion f
is "bash: all of it is there after being sourced" "$(bash -c '. "$0"; complete -p enomem' "$bash_script")" "complete -F _enomem enomem"
# What fish and zsh offer; a shell's own way of writing it is taken away: what of the word is typed already (fish), backslashes (zsh).
offered() # line
{
	local typed=${1##* }
	typed=${typed%"${typed##*[,:=]}"}
	tr -d '\\\n' | sed "s/^$typed//; s/ $typed/ /g"
}
cat >"$work/lines" <<LINES
enomem run --gu|$(printf '%s\n' $guests | grep -v '=$' | sort | tr '\n' ' ')
enomem run pids|pids-max pids-max-above 
enomem run pids-max/f|pids-max/fork 
enomem run strict-commit/ha|strict-commit/half of RAM 
enomem list --format |json markdown pretty 
enomem run --class leak,hu|huge-pages 
enomem hold --phase a|aftermath at 
enomem inject --from e|entry exec 
enomem sweep --calls mmap,mrem|mremap 
enomem sweep --errno EAG|EAGAIN 
enomem list --errno SIGKI|SIGKILL 
enomem explain memcg-ma|memcg-max 
enomem explain SIGB|SIGBUS 
enomem capture pids|pids-max pids-max-above 
enomem teach pids|pids-max pids-max-above 
enomem teach pids-max/f|pids-max/fork 
enomem hold pids-max --case f|fork 
enomem hold pids-max/fork --case th|thread 
enomem hold --case f|
enomem hold leak-loop --run a|address limit 
enomem hold --decoys leak|leak-loop 
enomem hold --decoys leak-loop,pids|pids-max pids-max-above 
enomem run pids-max -p pi|pids.max= 
enomem run address-space-limit/mmap -p rlimit.a|rlimit.as= 
enomem run --guest=9|9.8 9.9 
enomem teach --guest=9|9.8 9.9 
enomem claims 0.1|$("$enomem" claims -f json | jq -r '.guides[].claims[].id | select(startswith("0.1"))' | sort | tr '\n' ' ')
enomem claims --guide 2|2 
enomem inject mma|mmap 
enomem inject mmap:ENOM|ENOMEM 
enomem inject mmap printen|printenv 
enomem inject mmap dash --fro|--frobnicate 
enomem inject --from main mmap:ENOMEM -- dash --fro|--frobnicate 
enomem why --qui|--quiet 
enomem why printen|printenv 
enomem why -o x dash --fro|--frobnicate 
enomem hold pids-max -- printen|printenv 
enomem hold pids-max -- dash x --fro|--frobnicate 
enomem run pids-max/fork -- dash --fro|--frobnicate 
enomem sweep --errno EAGAIN dash --fro|--frobnicate 
LINES
is "there is something to complete everywhere" "$(grep -vE '\|[^|]+ $' "$work/lines" | paste -s -d ' ')" "enomem hold --case f|"
if command -v fish >/dev/null; then
	fishes() { fish --no-config -c 'set -gx PATH $argv[1] $PATH; complete -c dash -l frobnicate; source $argv[2]; complete -C $argv[3]' "$prefix/bin" "$fish_script" "$1" 2>&1 | cut -f 1 | grep -vx -- '--[a-z-]*=' | tr '\n' ' '; }
	ok "fish: the syntax is right" fish --no-config --no-execute "$fish_script"
	{ cat "$fish_script" && echo 'if true'; } >"$work/unended"
	ok "fish: and is looked at" not fish --no-config --no-execute "$work/unended" 2>"$errors"
	is "fish: enomem run --gu" "$(fishes 'enomem run --gu')" "$(printf '%s\n' $guests | grep -v '=$' | sort | tr '\n' ' ')"
	is "fish: scenarios" "$(fishes 'enomem run pids')" "pids-max pids-max-above "
	is "fish: a list" "$(fishes 'enomem run --class leak,hu')" "leak,huge-pages "
	is "fish: values" "$(fishes 'enomem list --format ')" "json markdown pretty "
	while IFS='|' read -r line expected; do
		is "fish: $line" "$(fishes "$line" | offered "$line")" "$expected"
	done <"$work/lines"
	is "fish: in quotes" "$(fishes "enomem run 'strict-commit/ha")" "strict-commit/half of RAM "
	is "fish: a parameter wants a value" "$(fishes 'enomem run pids-max -p pi')" "pids.max= "
else
	skip_test "fish" "needs fish: apt install fish"
fi
if command -v zsh >/dev/null; then
	ok "zsh: the syntax is right" zsh -n "$zsh_script"
	{ cat "$zsh_script" && echo 'if true; then'; } >"$work/unended"
	ok "zsh: and is looked at" not zsh -n "$work/unended" 2>"$errors"
	# What _arguments would be told, after the command was chosen.
	zshes() { zsh -f -c 'fpath=($1 $fpath); autoload -Uz _enomem; words=(enomem $2)
		_arguments() { if [[ $1 == -C ]]; then state=argument words=($command_); else print -rl -- "$@"; fi }; command_=$2; _enomem' \
		zsh "${zsh_script%/*}" "$1" 2>&1; }
	like "zsh: the options of run" "$(zshes run | tr '\n' ' ')" '--guest=-\[run everything in a throw-away QEMU guest.*--guest-memory=\[RAM'
	unlike "zsh: and not those of another command" "$(zshes run)" '--dry-run'
	like "zsh: the options of recover" "$(zshes recover | tr '\n' ' ')" '--dry-run\[only tell'
	# shellcheck disable=SC2016
	is "zsh: sourced it is there as well, as the manual has it" \
		"$(zsh -f -c 'autoload -Uz compinit; compinit -u -D; source <("$1" --completion zsh); print -r -- $_comps[enomem]' zsh "$enomem" 2>&1)" _enomem
	# At a terminal, by the tabulator: what compadd(1) is given to offer.
	mkdir "$work/zsh"
	cat >"$work/zsh/.zshrc" <<-'RC'
		PS1= PS2=
		unset zle_bracketed_paste
		stty -echo
		fpath=($OFFER_FPATH $fpath)
		path=($OFFER_PATH $path)
		autoload -Uz compinit
		compinit -u -D
		_dash() { compadd -- --frobnicate }
		compdef _dash dash
		compadd() {
			local -a hits
			if (( ${@[(I)-[OAD]]} == 0 )); then
				builtin compadd -A hits "$@"
				print -rl -- $hits >>$OFFER_OUT
			fi
			builtin compadd "$@"
		}
		offer() { _main_complete; print -r -- @DONE >>$OFFER_OUT }
		zle -C offer list-choices offer
		bindkey '^I' offer
		print -r -- @READY >>$OFFER_OUT
	RC
	cat >"$work/zsh/drive" <<-'DRIVE'
		zmodload zsh/zpty
		zpty z zsh -d -i
		wait_for() { local i; for i in {1..400}; do grep -q $1 $OFFER_OUT && return; sleep .05; zpty -r -t z x 2>/dev/null; done; print -r -- "no $1" }
		wait_for @READY
		while IFS='|' read -r line rest; do
			: >$OFFER_OUT
			zpty -w -n z $'\C-u'$line$'\t'
			wait_for @DONE
			print -r -- "$line|$(grep -v '^@' $OFFER_OUT | grep . | sort -u | tr '\n' ' ')"
		done
		zpty -d z
	DRIVE
	: >"$work/zsh/out"
	ZDOTDIR=$work/zsh OFFER_FPATH=${zsh_script%/*} OFFER_PATH=$prefix/bin OFFER_OUT=$work/zsh/out \
		marked zsh -f "$work/zsh/drive" <"$work/lines" >"$work/zsh/got" 2>&1
	while IFS='|' read -r line expected; do
		is "zsh: $line" "$(grep -F -- "$line|" "$work/zsh/got" | cut -d '|' -f 2 | offered "$line")" "$expected"
	done <"$work/lines"
else
	skip_test "zsh" "needs zsh: apt install zsh"
fi
installed --completion tcsh
like "another shell" "$code $(cat "$errors")" "^2 enomem: --completion: tcsh is none of bash, zsh, fish"

# --- the version ---
installed --version
is "--version" "$code $(cat "$json")" "0 enomem $(sed -n 's/^project(enomem VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")"
installed --version --json
is "as JSON: the same, the kernel, and all libraries" "$code $(get '"\(.version) \(.kernel.release) \(.libraries | keys | join(" "))"')" \
	"0 $("$enomem" --version | cut -d ' ' -f 2) $(uname -r) jansson libc libcap-ng libdw libfyaml libseccomp libsmartcols zlib"
is "every library that is linked is told of" "$(ldd "$enomem" | sed -n 's/^\t\(lib[a-z-]*\|libz\)\.so.*/\1/p' | grep -vxE 'libm|libpthread|libdl|ld' | sed 's/^libz$/zlib/; s/^libjansson$/jansson/' | sort | tr '\n' ' ')" \
	"$(get '.libraries | del(.libdw) | keys | join(" ")') "
like "the compiler" "$(get .compiler)" '^(GCC|Clang) .*[0-9]+\.[0-9]+'
if git -C "$source" rev-parse HEAD >"$work/commit" 2>/dev/null; then
	ok "the commit is one of this repository" git -C "$source" cat-file -e "$(get .commit)^{commit}"
fi
installed --completion case -- run -p x=1 --guest=6.1 nothing pids-max/fork leak-loop
is "--completion: of the first scenario among the words" "$code $(head -n 2 "$json" | paste -s -d ' ')" "0 fork vfork"
installed --completion parameters -- hold
is "--completion: of none, nothing" "$code $(cat "$json")" "0 "
for words in "--completion bash pids-max" "--json" "--version --completion bash" "--version pids-max" "--versio" "--completion"; do
	# shellcheck disable=SC2086
	installed $words
	is "$words: a mistake" "$code $(cat "$json")" "2 "
done

# --- the same source, the same bytes ---
is "no path of the build is in what is installed" "$(LC_ALL=C grep -rlF -e "$source" "$prefix")" ""
if command -v gcc >/dev/null && command -v ninja >/dev/null; then
	some() # directory; two at once
	{
		mkdir -p "$work/$1/results" &&
		cp -r "$source/CMakeLists.txt" "$source/CMakePresets.json" "$source/LICENSE" "$source/lib" "$source/harness" "$source/scenarios" "$work/$1/" &&
		cd "$work/$1" &&
		marked cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX="/opt/$1" >cmake.log 2>&1 &&
		marked ninja -C build/release harness/CMakeFiles/harness.dir/select.c.o harness/CMakeFiles/harness.dir/version.c.o \
			scenarios/pids-max/pids-max >>cmake.log 2>&1
	}
	(some one) & (some two/deeper) & wait
	for where in one two/deeper; do
		[ -e "$work/$where/build/release/scenarios/pids-max/pids-max" ] || diag "$(tail -n 5 "$work/$where/cmake.log")"
	done
	built() { (cd "$work/$1/build/release" 2>/dev/null && find . \( -name '*.c.o' -o -name pids-max -type f \) -exec sha256sum {} + | sort); }
	is "there is something to compare" "$(built one | grep -c .)" 4
	is "two directories and two prefixes, with debug information" "$(built one)" "$(built two/deeper)"
else
	skip_test "two directories, the same bytes" "needs gcc and ninja: apt install gcc ninja-build"
fi
if git -C "$source" rev-parse HEAD >/dev/null 2>&1; then
	# As `dist` does it, in two clones.
	for where in clone-1 clone-2; do
		git clone -q --no-hardlinks --depth 1 "file://$(git -C "$source" rev-parse --path-format=absolute --git-common-dir)" "$work/$where" --branch "$(git -C "$source" rev-parse --abbrev-ref HEAD)" 2>/dev/null &&
		git -C "$work/$where" archive --format=tar.gz --prefix=enomem/ HEAD >"$work/$where.tar.gz"
	done
	if [ -s "$work/clone-1.tar.gz" ]; then
		ok "two source archives are the same" cmp "$work/clone-1.tar.gz" "$work/clone-2.tar.gz"
		is "and name their commit and its time" "$(tar -xzOf "$work/clone-1.tar.gz" enomem/harness/package/commit.txt | paste -s -d " ")" "$(git -C "$work/clone-1" show -s --format="%H %ct")"
		mkdir "$work/unpacked"
		tar -xzf "$work/clone-1.tar.gz" -C "$work/unpacked"
		cmake -DGIT="$(command -v git)" -DSOURCE="$work/unpacked/enomem" -DOUTPUT="$work/commit.c" -P "$work/unpacked/enomem/harness/package/commit.cmake"
		like "which a build from it tells" "$(cat "$work/commit.c")" "enomem_commit\[\] = \"$(git -C "$work/clone-1" rev-parse HEAD)\";"
	else
		skip_test "two source archives are the same" "needs a branch to clone"
	fi
else
	skip_test "two source archives are the same" "needs git, and a clone"
fi

# --- licences ---
sources() { (cd "$source" && { git ls-files 2>/dev/null | grep . || find . -type f ! -path './build/*' | sed 's,^\./,,'; }) |
	grep -vE '^(results/|harness/tests/(corpus|data)/|lib/tests/(corpus|data)/)'; }
# Sources by name, and whatever begins with #!; of scenarios the manifests and lessons are data, whose lines are counted in messages
# and results: LICENSE covers them.
unsaid=$(cd "$source" && sources | grep -v '^scenarios/.*\.yaml$' | xargs -d '\n' awk '
	function judge() { if (file != "" && wanted && !said) print file }
	FNR == 1 { judge(); file = FILENAME; said = 0; wanted = /^#!/ || file ~ /\.(c|h|sh|t|py|pl|cmake|scd|yml|yaml)$/ || file ~ /(^|\/)CMakeLists\.txt$/ }
	FNR <= 4 && /SPDX-License-Identifier: MIT/ { said = 1 }
	END { judge() }')
is "every source file says its licence in its first lines" "$unsaid" ""
ok "there are sources" test "$(sources | grep -c '\.c$')" -gt 100
is "the package says it as LICENSE does" "$(sed '1,/^License: MIT$/d' "$source/harness/package/copyright" | sed -n '/^License: MIT$/,$p' | tail -n +2 | sed 's/^ //; s/^\.$//')" \
	"$(sed -n '/^Permission/,$p' "$source/LICENSE")"
finish
