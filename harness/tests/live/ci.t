#!/bin/bash
# SPDX-License-Identifier: MIT
# What ci/ holds for users: fan-out's own logic (fan-out.t has it over a real ssh), bisection, LAVA, workflows that parse.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar
ci=$(cd "$live/../../../ci" && pwd)

# --- results to work with, and a command that stands for enomem: it has no guests, and prints what it is told ---
scenario limit address-space process <<'YAML'
environment: {rlimit: {as: 64M}}
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
  - {name: trigger, role: trigger, arguments: [map, 128M]}
  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
YAML
run "$tree/limit/"
is "a result to work with" "$code $(get '.scenarios[0].verdict')" "0 pass" || tell
jq '.host.kernel = "5.10.0-1"' "$json" >"$work/5.10.json"
jq '.host.kernel = "6.1.0-1"' "$json" >"$work/6.1.json"
jq '.host.kernel = "6.12.0-1" | .scenarios[0].verdict = "fail" | .scenarios[0].reason = "x" | .summary += {pass: 0, fail: 1}' \
	"$json" >"$work/6.12.json"
cat >"$work/enomem" <<SH
#!/bin/sh
# \$0 run --format json [--profile=PATH] --guest=KERNEL [OPTION...] [SCENARIO...]
[ "\$1" != compare ] || exec "$enomem" "\$@"
for word; do
	case \$word in
	--guest=*) kernel=\${word#*=} ;;
	--profile=*) profile=\${word#*=} ;;
	esac
done
printf '%s|%s|%s\n' "\$kernel" "\$(cat "\$profile" "\$profile"/* 2>/dev/null | tr '\n' ' ')" "\$*" >>"$work/calls"
case \$kernel in
nothing) exit 0 ;;
garbage) echo '{"schema": "enomem-result/1"}'; exit 0 ;;
slow) sleep 60 ;;
skipped) jq '.scenarios[0] += {verdict: "skip", reason: "x", runs: []} | .summary += {pass: 0, skip: 1}' "$work/6.1.json"; exit 77 ;;
esac
cat "$work/\$kernel.json"
[ "\$kernel" != 6.12 ]
SH
chmod 755 "$work/enomem"

fan_out() # option...; a machine reached by "ssh" is this one, without the directory the caller is in
{
	rm -rf "$work/out"
	: >"$work/calls"
	(cd "$work" && timeout 120 env "$mark" PARALLEL_SSH="$work/ssh" HOME="$work" \
		"$ci/fan-out" -o "$work/out" -e "$work/enomem" "$@") >"$work/said" 2>"$errors"
	code=$?
}
cat >"$work/ssh" <<'SH'
#!/bin/bash
# ssh [OPTION...] HOST COMMAND...: as sshd does, one string for a shell in another directory, and SHELL set (where nobody
# logged in, as in CI, the caller has none)
while [[ $1 == -* ]]; do
	case $1 in -[lopiFJ]) shift ;; esac
	shift
done
echo "$1" >>"${0%/*}/hosts"
shift
[ "$1" != -- ] || shift
cd / && SHELL=/bin/sh exec sh -c "$*"
SH
chmod 755 "$work/ssh"

# --- fan-out ---
if command -v parallel >/dev/null; then
	mkdir -p "$work/profiles/two files"
	echo "vm.max_map_count = 1000" >"$work/profiles/it's low.conf"
	echo "vm.a = 1" >"$work/profiles/two files/10.conf"
	echo "vm.b = 2" >"$work/profiles/two files/20.conf"
	fan_out -k 5.10,6.1 -p default -p "profiles/it's low.conf" -p "profiles/two files" -j 2 -r --guest-memory=256M -- limit
	is "fan-out: everything as predicted" "$code" 0 || diag "$(cat "$errors")"
	is "fan-out: every kernel with every profile" "$(wc -l <"$work/calls")" 6
	is "fan-out: one file per profile" "$(cd "$work/out" && printf '%s|' *.json)" "default.json|it's low.conf.json|two files.json|"
	is "fan-out: one result per kernel" "$(jq -r .host.kernel "$work/out/two files.json" | tr '\n' ' ')" "5.10.0-1 6.1.0-1 "
	like "fan-out: the file arrives" "$(cat "$work/calls")" '^5\.10\|vm\.max_map_count = 1000 \|'
	like "fan-out: the directory arrives" "$(cat "$work/calls")" '^6\.1\|vm\.a = 1 vm\.b = 2 \|'
	like "fan-out: options and scenarios are passed on" "$(cat "$work/calls")" '--guest-memory=256M limit$'
	like "fan-out: a table" "$(cat "$work/said")" 'SCENARIO +5\.10 +6\.1'
	like "fan-out: a table to keep" "$(cat "$work/out/table-default.md")" '^\| \| limit \| pass ENOMEM \| pass ENOMEM \|$'
	fan_out -k 5.10,6.12
	is "fan-out: a prediction failed" "$code" 1 || diag "$(cat "$errors")"
	like "fan-out: where" "$(cat "$work/said")" '6\.12: 0 pass, 1 fail'
	: >"$work/hosts"
	fan_out -k 5.10,6.1 -p "profiles/it's low.conf" -S one -S 1/two
	is "fan-out by ssh: as predicted" "$code" 0 || diag "$(cat "$errors")"
	is "fan-out by ssh: the profile arrives" "$(grep -c 'vm.max_map_count = 1000' "$work/calls")" 2
	like "fan-out by ssh: another machine" "$(sort -u "$work/hosts" | tr '\n' ' ')" 'one|two'
	fan_out -k 5.10,nothing,6.1
	is "fan-out: a job without a result" "$code $(jq -r .host.kernel "$work/out/default.json" | tr '\n' ' ')" "3 5.10.0-1 6.1.0-1 "
	like "fan-out: which one" "$(cat "$errors")" '^ci/fan-out: nothing default: no result'
	fan_out -k garbage
	is "fan-out: a job with garbage" "$code" 3
	fan_out -k slow,5.10 -t 1
	is "fan-out: a job that hangs" "$code $(jq -r .host.kernel "$work/out/default.json")" "3 5.10.0-1"
	: >"$work/calls"
	(cd "$work" && exec env "$mark" "$ci/fan-out" -o "$work/out" -e "$work/enomem" -k slow) >"$work/said" 2>"$errors" &
	fan=$!
	for _ in $(seq 100); do [ -s "$work/calls" ] && break; sleep 0.1; done
	kill -TERM "$fan"
	wait "$fan"
	is "fan-out: ended, and its jobs with it" "$? $(for _ in $(seq 50); do [ -z "$(marked_processes)" ] && break; sleep 0.1; done; marked_processes)" "130 "
	fan_out -k skipped
	is "fan-out: everything skipped" "$code" 77
	fan_out -s -k 5.10 -- limit limit
	is "fan-out: a job per scenario" "$code $(wc -l <"$work/calls") $(jq -r '.scenarios | length' "$work/out/default.json")" "0 2 1"
	fan_out -k "" ; is "fan-out: no kernel is wrong usage" "$code" 2
	fan_out -p "$work/no such profile" ; is "fan-out: a missing profile is wrong usage" "$code" 2
	fan_out --oops ; is "fan-out: a misspelt option is wrong usage" "$code" 2
else
	skip_test "fan-out" "parallel is not installed"
fi

# --- bisect: a repository whose manifest lost its limit in commit 6 of 9; 4 has no program, 8 cannot be built ---
repository=$work/repository
git init -q "$repository"
gitc() { git -C "$repository" -c user.name=test -c user.email=test@localhost -c commit.gpgsign=false "$@"; }
cp "$tree/limit/scenario.yaml" "$work/manifest.yaml"
for n in 1 2 3 4 5 6 7 8 9; do
	mkdir -p "$repository/limit"
	cp "$work/manifest.yaml" "$repository/limit/scenario.yaml"
	cp "$work/liar" "$repository/limit/liar"
	echo "$n" >"$repository/number"
	echo "vm.max_map_count = $((n < 6 ? 65530 : 100))" >"$repository/vm.conf"
	rm -f "$repository/broken"
	case $n in
	4) echo "no program" >"$repository/limit/liar" ;;
	8) touch "$repository/broken" ;;
	esac
	[ $n -lt 6 ] || sed -i 's/as: 64M/as: 512M/' "$repository/limit/scenario.yaml"
	gitc add -A && gitc commit -q -m "commit $n"
done
first=$(gitc rev-list --max-parents=0 HEAD)
lost=$(gitc rev-parse HEAD~3)

bisect() # option... GOOD BAD -- command...
{
	(cd "$work" && marked env GIT_CONFIG_NOSYSTEM=1 "$ci/bisect" "$@") >"$work/said" 2>"$errors" </dev/null
	code=$?
}
bisect -q -C "$repository" -b 'test ! -e broken' "$first" HEAD -- "$enomem" run --exit=bisect -f tap13 ./limit/
is "bisect: the commit that lost the limit, over one that is broken" "$code $(cut -d ' ' -f 2- "$work/said")" "0 commit 6" || diag "$(cat "$errors")"
is "bisect: the repository is as before" "$(gitc status --porcelain --branch | head -n 2)" "## $(gitc branch --show-current)"
# The same by git alone: what the manual says has to hold without our script.
(cd "$repository" && git bisect start HEAD "$first" && marked git bisect run "$enomem" run --exit=bisect -f tap13 ./limit/) >"$work/said" 2>&1
like "git bisect run: the same commit" "$(cat "$work/said")" "^$lost is the first bad commit"
gitc bisect reset >/dev/null 2>&1
# A mistake is no verdict: git would take 2 and 4 for "bad".
mistake() # what, what is told (regex), argument...
{
	local what=$1 told=$2
	shift 2
	(cd "$repository" && git bisect start HEAD "$first" && marked git bisect run "$enomem" run --exit=bisect -f tap13 "$@") >"$work/said" 2>&1
	is "git bisect run, $what: no commit is blamed" "$(grep -c 'is the first bad commit' "$work/said")" 0
	is "git bisect run, $what: told, once" "$(grep -cE "$told" "$work/said") $(grep -c 'exit status 128 ends a bisection' "$work/said")" "1 1" || diag "$(cat "$work/said")"
	gitc bisect reset >/dev/null 2>&1
}
mistake "no baseline" 'nowhere[.]json: cannot be opened' --baseline nowhere.json ./limit/
mistake "no such case" 'limit has no such case' "./limit/nosuch"
mistake "no such pattern" 'nosuch.: no scenario has such a name' 'nosuch*'
mistake "no such option" 'no such option of enomem run' --no-such-option
marked "$enomem" run --baseline "$work/nowhere.json" -f tap13 "$repository/limit/" >"$work/said" 2>"$errors"
is "a baseline that is not there: told before anything runs" "$? $(wc -c <"$work/said") $(grep -c 'nowhere[.]json: cannot be opened' "$errors")" "2 0 1"
# A profile kept in git, judged by any command.
# shellcheck disable=SC2016
bisect -q -C "$repository" "$first" HEAD -- sh -c 'test "$(sed "s/.*= //" vm.conf)" -gt 1000'
is "bisect: any command may judge" "$code $(cut -d ' ' -f 2- "$work/said")" "0 commit 6"
bisect -q -C "$repository" HEAD~4 HEAD~3 -- false
is "bisect: the next commit" "$code $(cut -d ' ' -f 2- "$work/said")" "0 commit 6"
for status in 77 3 125; do
	bisect -q -C "$repository" "$first" HEAD -- sh -c "exit $status"
	is "bisect: only $status, nothing can be told" "$code" 1
done
for status in 2 4 127 130; do
	bisect -q -C "$repository" "$first" HEAD -- sh -c "exit $status"
	is "bisect: $status stops it" "$code" 2
	ok "bisect: $status finds no commit" test ! -s "$work/said"
done
bisect -q -C "$repository" "$first" HEAD -- "$enomem" run --no-such-option
is "bisect: a misspelt option is not a bad commit" "$code" 2
bisect -C "$repository" HEAD "$first" -- true
is "bisect: good and bad the wrong way round" "$code" 2
bisect -C "$repository" nowhere HEAD -- true
is "bisect: no such commit" "$code" 2
echo changed >"$repository/number"
bisect -C "$repository" "$first" HEAD -- true
is "bisect: changes that are not committed" "$code $(cat "$repository/number")" "2 changed"

# --- LAVA ---
cat >"$work/lava" <<'SH'
#!/bin/sh
echo "$*"
SH
chmod 755 "$work/lava"
lava() { LAVA_TEST_CASE="$work/lava" LAVA_TEST_SET="$work/lava" "$ci/workflows/tap-to-lava"; }
sed -i 's/role: remedy,/role: remedy, needs: {tools: [no-such-tool]},/' "$tree/limit/scenario.yaml"
harness run -f tap13 "$tree/limit/"
is "LAVA: a case per run" "$(lava <"$json" | tr '\n' '|')" \
	"start address-space.limit|control --result pass|trigger --result pass|remedy --result skip|stop address-space.limit|complete-stream --result pass|"
is "LAVA: a stream that ends early" "$(grep -v '^ok 2' "$json" | lava | tail -n 1)" "complete-stream --result fail"
is "LAVA: no stream at all" "$(lava </dev/null)" "complete-stream --result fail"
is "LAVA: what failed" "$(printf 'TAP version 13\n1..2\nnot ok 1 - a.b: c; $(d) e\n  ---\n  ok 7 - x\n  ...\nok 2 - a.f # SKIP why\n' | lava | tr '\n' '|')" \
	"start a.b|c-d-e --result fail|stop a.b|start a.f|scenario --result skip|stop a.f|complete-stream --result pass|"

# --- workflows ---
if python3 -c 'import yaml' 2>/dev/null; then
	workflow() { python3 - "$ci/workflows/$1" "$2" 2>&1 <<'PY'
import sys, yaml
class Strict(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [k.value for k, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key twice: {keys}"
        return super().construct_mapping(node, deep)
d = yaml.load(open(sys.argv[1]), Strict)
print(eval(sys.argv[2]))
PY
	}
	is "github.yml: kernels x profiles" "$(workflow github.yml 'len(d["jobs"]["enomem"]["strategy"]["matrix"]["kernel"]) * len(d["jobs"]["enomem"]["strategy"]["matrix"]["profile"])')" 8
	is "github.yml: every step does something" "$(workflow github.yml 'all("run" in s or "uses" in s for j in d["jobs"].values() for s in j["steps"])')" True
	is "gitlab.yml: JUnit is reported" "$(workflow gitlab.yml 'd["enomem"]["artifacts"]["reports"]["junit"]')" junit.xml
	is "lava.yaml: a test definition" "$(workflow lava.yaml 'd["metadata"]["format"] + " " + str(len(d["run"]["steps"]) > 2)')" "Lava-Test Test Definition 1.0 True"
	for profile in $(workflow github.yml '" ".join(d["jobs"]["enomem"]["strategy"]["matrix"]["profile"])') \
		$(workflow gitlab.yml '" ".join(d["enomem"]["parallel"]["matrix"][0]["PROFILE"])'); do
		ok "workflows: profile $profile is there" test -f "$ci/workflows/profiles/$profile.conf"
	done
	# A fresh Debian has apt, dpkg, gzip and util-linux; the rest of what ci/kernels calls is installed with what guests need.
	is "workflows: who brings kernels installs what that needs" "$(for file in github.yml gitlab.yml; do
		workflow "$file" '[all(w in str(j) for w in ("$packages_to_run", "$packages_to_guest")) for j in list(d.get("jobs", d).values()) if "ci/kernels " in str(j)]'
	done | paste -sd' ')" "[True] [True]"
	is "workflows: and that is all ci/kernels calls" "$(
		. "$ci/lib.sh"
		sed -n 's/.*for pair in \(.*\); do$/\1/p' "$ci/kernels-apt.sh" | tr ' ' '\n' | cut -d: -f2 | sort -u |
			grep -vx -e apt -e dpkg -e gzip -e util-linux | while read -r package; do
			case " $packages_to_guest " in *" $package "*) echo "$package there" ;; *) echo "$package missing" ;; esac
		done | paste -sd,
	)" "lz4 there,xz-utils there,zstd there"
	is "workflows: every shell line parses" "$(for file in github.yml gitlab.yml lava.yaml; do
		workflow "$file" '"\0".join([s["run"] for j in d.get("jobs", {}).values() for s in j["steps"] if "run" in s] +
			[l for j in d.values() if isinstance(j, dict) for k in ("before_script", "script") for l in j.get(k, [])] +
			(d["run"]["steps"] if "run" in d else []))' |
			while IFS= read -r -d '' line || [ -n "$line" ]; do bash -n -c "$line" 2>&1; done
	done)" ""
else
	skip_test "workflows" "python3-yaml is not installed"
fi
finish
